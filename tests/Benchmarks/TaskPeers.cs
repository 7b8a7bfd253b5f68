using System.Diagnostics;
using System.Globalization;

namespace Benchmarks;

/// <summary>Systems that run many small tasks on this machine; neither keeps anything on disk.</summary>
internal static class TaskPeers
{
    /// <summary>Debian's interpreter, for which python3-distributed is installed; another one on the PATH does not see it.</summary>
    private const string Python = "/usr/bin/python3";

    private const string DaskScript = """
        import sys, time, distributed

        def nothing(i):
            return i

        if __name__ == "__main__":
            count = int(sys.argv[1])
            cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
            client = distributed.Client(cluster)
            client.gather(client.map(nothing, range(200), pure=False))
            begun = time.perf_counter()
            client.gather(client.map(nothing, range(count), pure=False))
            batch = time.perf_counter() - begun
            singles = []
            for i in range(200):
                begun = time.perf_counter()
                client.submit(nothing, i, pure=False).result()
                singles.append((time.perf_counter() - begun) * 1000)
            singles.sort()
            print(distributed.__version__, batch, singles[len(singles) // 2])
            client.close()
            cluster.close()
        """;

    /// <param name="count">Tasks of the batch.</param>
    /// <returns>Version, seconds for the batch, median of one task in ms; null, with the reason, where it cannot run.</returns>
    public static ((string Version, double BatchSeconds, double SingleMs)? Figures, string? Why) Dask(int count)
    {
        string directory = Directory.CreateTempSubdirectory("am-bench-dask-").FullName;
        try
        {
            string script = Path.Combine(directory, "dask_tasks.py");
            File.WriteAllText(script, DaskScript);
            (int code, string output, string error) = Run(Python, directory, script, count.ToString(CultureInfo.InvariantCulture));
            string[] words = output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return code == 0 && words.Length == 3
                ? ((words[0], double.Parse(words[1], CultureInfo.InvariantCulture), double.Parse(words[2], CultureInfo.InvariantCulture)), null)
                : (null, error.Split('\n', StringSplitOptions.RemoveEmptyEntries) is [.., var last] ? last : $"exit code {code}");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <returns>Seconds for <paramref name="count"/> runs of <c>true</c>, two at a time; null, with the reason, where it cannot run.</returns>
    public static (double? Seconds, string? Why) Parallel(int count)
    {
        long began = Stopwatch.GetTimestamp();
        (int code, _, string error) = Run("sh", Path.GetTempPath(), "-c", string.Create(CultureInfo.InvariantCulture, $"command -v parallel >/dev/null || exit 9; seq {count} | parallel --will-cite -j2 true"));
        return code switch
        {
            0 => (Stopwatch.GetElapsedTime(began).TotalSeconds, null),
            9 => (null, "parallel is not installed"),
            _ => (null, error.Trim()),
        };
    }

    private static (int Code, string Out, string Error) Run(string program, string directory, params string[] words)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = directory })!;
            process.StandardInput.Close();
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
            {
                process.Kill(entireProcessTree: true);
                return (-1, "", "it did not end within two minutes");
            }

            return (process.ExitCode, output, error.GetAwaiter().GetResult());
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return (-1, "", missing.Message);
        }
    }
}
