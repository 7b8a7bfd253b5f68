using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>A disk of a few megabytes, in memory. Only root may mount one, and not everywhere.</summary>
public sealed class SmallDisk : IDisposable
{
    private static readonly Lazy<string?> Trial = new(Try);

    /// <param name="directory">Where it is mounted.</param>
    public SmallDisk(string directory, int megabytes)
    {
        Directory = directory;
        if (Mount("-t", "tmpfs", "-o", Size(megabytes), "tmpfs", directory) is { } problem)
        {
            throw new InvalidOperationException(problem);
        }
    }

    /// <summary>Why there is none on this machine; null where there is.</summary>
    public static string? WhyNot => Trial.Value;

    public string Directory { get; }

    public void Resize(int megabytes)
    {
        if (Mount("-o", "remount," + Size(megabytes), Directory) is { } problem)
        {
            throw new InvalidOperationException(problem);
        }
    }

    public void Dispose() => Run("umount", "-l", Directory);

    private static string Size(int megabytes) => string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m");

    private static string? Try()
    {
        DirectoryInfo directory = System.IO.Directory.CreateTempSubdirectory("agentmesh-disk-");
        try
        {
            new SmallDisk(directory.FullName, 1).Dispose();
            return null;
        }
        catch (InvalidOperationException problem)
        {
            return $"a small disk cannot be mounted here: {problem.Message}";
        }
        finally
        {
            directory.Delete();
        }
    }

    private static string? Mount(params string[] arguments) => Run("mount", arguments);

    /// <returns>What went wrong; null for nothing.</returns>
    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            string said = process.StandardError.ReadToEnd() + process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : said.Length > 0 ? said.Trim() : $"{program}: exit code {process.ExitCode}";
        }
        catch (Win32Exception problem)
        {
            return problem.Message;
        }
    }
}
