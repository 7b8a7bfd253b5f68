using System.Diagnostics;
using System.Globalization;

namespace AgentMesh.Journal.Tests.Crash;

/// <summary>A process of its own that runs <see cref="Victim"/>.</summary>
internal sealed class VictimProcess : IDisposable
{
    private readonly Process _process;

    public VictimProcess(string verb, string path)
    {
        ProcessStartInfo start = new(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            ArgumentList = { "exec", typeof(Victim).Assembly.Location, verb, path },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, e) => Errors += e.Data;
        _process.BeginErrorReadLine();
    }

    public string Errors { get; private set; } = string.Empty;

    public int Id => _process.Id;

    public string? ReadLine() => _process.StandardOutput.ReadLine();

    /// <summary>Reads so many acknowledgements, kills with SIGKILL, reads what the pipe still holds. Returns the highest number reported for each id.</summary>
    public Dictionary<string, long> KillAfter(int acknowledgements)
    {
        Dictionary<string, long> highest = [];
        int count = 0;
        while (ReadLine() is { } line)
        {
            // The line that the kill cut in two is no report.
            string[] parts = line.Split(' ');
            if (parts.Length == 2 && long.TryParse(parts[1], CultureInfo.InvariantCulture, out long number))
            {
                highest[parts[0]] = Math.Max(number, highest.GetValueOrDefault(parts[0]));
            }

            if (++count == acknowledgements)
            {
                _process.Kill();
            }
        }

        _process.WaitForExit();
        Assert.True(count >= acknowledgements, $"the writer ended early: {Errors}");
        return highest;
    }

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
