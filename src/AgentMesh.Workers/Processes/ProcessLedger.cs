using System.Diagnostics;
using System.Globalization;

namespace AgentMesh.Workers.Processes;

/// <summary>
/// Which programs this node has running, one small file each, so that the next start can end what a killed node may have left behind. A process
/// is known by its number and its start time: numbers are used again.
/// </summary>
public sealed class ProcessLedger(string directory)
{
    public void Add(int process)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(FileOf(process), StartOf(process) ?? "");
    }

    public void Remove(int process) => File.Delete(FileOf(process));

    /// <summary>Ends what is still there from before; returns how many process groups that were.</summary>
    public int Sweep()
    {
        if (!Directory.Exists(directory))
        {
            return 0;
        }

        int ended = 0;
        foreach (string file in Directory.GetFiles(directory))
        {
            if (int.TryParse(Path.GetFileName(file), NumberStyles.None, CultureInfo.InvariantCulture, out int process))
            {
                string began = File.ReadAllText(file);
                if (began.Length > 0 && began == StartOf(process))
                {
                    End(process);
                    ended++;
                }
            }

            File.Delete(file);
        }

        return ended;
    }

    private static void End(int process)
    {
        try
        {
            using Process found = Process.GetProcessById(process);
            found.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // Gone in between.
        }
    }

    private static string? StartOf(int process)
    {
        try
        {
            using Process found = Process.GetProcessById(process);
            return found.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private string FileOf(int process) => Path.Combine(directory, process.ToString(CultureInfo.InvariantCulture));
}
