using System.Collections.Concurrent;
using System.Diagnostics;

namespace Simulation.Running;

/// <summary>Worker processes, as many as there are cores. They end with this process, or when nobody writes to them any more.</summary>
internal sealed class WorkerPool : IDisposable
{
    private readonly ConcurrentBag<Process> _idle = [];
    private readonly ConcurrentBag<Process> _all = [];
    private readonly SemaphoreSlim _free;

    public WorkerPool(int count)
    {
        Count = count;
        _free = new SemaphoreSlim(count);
    }

    public static WorkerPool Shared { get; } = new(Math.Max(1, Environment.ProcessorCount));

    public int Count { get; }

    public async Task<SimResult> RunAsync(string kind, int number, int seed, bool isTold = false)
    {
        await _free.WaitAsync();
        Process? worker = null;
        try
        {
            worker = _idle.TryTake(out Process? idle) ? idle : Start();
            await worker.StandardInput.WriteLineAsync($"{kind} {number} {seed}{(isTold ? " v" : "")}");
            await worker.StandardInput.FlushAsync();
            string line = await worker.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"the worker ended at {kind} {number}, seed {seed}");
            return SimResult.Parse(line);
        }
        finally
        {
            if (worker is { HasExited: false })
            {
                _idle.Add(worker);
            }

            _free.Release();
        }
    }

    public void Dispose()
    {
        foreach (Process worker in _all)
        {
            worker.StandardInput.Close();
            worker.Dispose();
        }

        _free.Dispose();
    }

    private Process Start()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(WorkerPool).Assembly.Location, "worker"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_PROCESSOR_COUNT"] = "1";

        // With one thread there is none beside the world that would compile its methods a second time: they are compiled well at once. And a world makes
        // garbage that is dead when the next begins: it is collected seldom.
        start.Environment["DOTNET_TC_QuickJit"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_GCgen0size"] = "0x4000000";
        Process worker = Process.Start(start)!;
        _all.Add(worker);
        return worker;
    }
}
