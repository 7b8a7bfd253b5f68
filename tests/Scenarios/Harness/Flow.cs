using System.Diagnostics;
using System.Globalization;

namespace Scenarios.Harness;

/// <summary>
/// A program on one device that writes numbered blocks, 600 kB a second, until it is told to stop, and the output of which another device reads meanwhile: each byte is
/// compared, and the times without any are measured, where a user has them, at the end of the command line.
/// </summary>
internal sealed class Flow : IAsyncDisposable
{
    private const int NumberDigits = 8;

    // What was on its way comes first, and what is noticed late is noticed by then.
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(2.5);

    // Blocks are alike but for their numbers.
    private readonly byte[] _block = new byte[32 * 1024];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Lock _gate = new();
    private readonly Process _process;
    private readonly Task<string> _error;
    private readonly Task _reading;
    private readonly string _stop;
    private long _read;
    private TimeSpan _last;
    private TimeSpan _longest;
    private string _problem = "";

    private Flow(TestNode reader, TestNode writer)
    {
        new Random(48).NextBytes(_block);
        string block = Path.Combine(writer.Data, "block");
        _stop = Path.Combine(writer.Data, "stop");
        File.WriteAllBytes(block, _block);
        File.Delete(_stop);
        string script = $"n=0; while [ ! -e {_stop} ]; do printf '%0{NumberDigits}d' $n; cat {block}; n=$((n+1)); sleep 0.05; done; echo $n >&2";
        _process = reader.Start("run", $"@{writer.Name}", "--", "sh", "-c", script);
        _error = _process.StandardError.ReadToEndAsync();
        _reading = ReadAsync();
    }

    /// <summary>The longest time without a byte since the last <see cref="Mark"/>, the present one included.</summary>
    public TimeSpan Pause
    {
        get
        {
            lock (_gate)
            {
                TimeSpan present = _watch.Elapsed - _last;
                return present > _longest ? present : _longest;
            }
        }
    }

    /// <param name="reader">Must be allowed to run programs on <paramref name="writer"/>.</param>
    public static async Task<Flow> StartAsync(TestNode reader, TestNode writer)
    {
        var flow = new Flow(reader, writer);
        await flow.FlowsAsync();
        return flow;
    }

    public void Mark()
    {
        lock (_gate)
        {
            _longest = TimeSpan.Zero;
        }
    }

    /// <summary>Something happens, and the flow has time to get over it.</summary>
    /// <returns>The longest time without a byte.</returns>
    public async Task<TimeSpan> PauseOfAsync(Action what)
    {
        Mark();
        what();
        await Task.Delay(Watched);
        await FlowsAsync();
        return Pause;
    }

    /// <summary>Waits until blocks come that were not there before.</summary>
    public async Task FlowsAsync()
    {
        long before = Interlocked.Read(ref _read);
        await Eventually.HoldsAsync(
            () => Task.FromResult(_reading.IsCompleted || Interlocked.Read(ref _read) > before + (8 * _block.Length)), () => $"output flows ({_read} bytes)", TimeSpan.FromMinutes(1));
        Assert.False(_reading.IsCompleted, $"the output has ended: {_problem}");
    }

    /// <summary>The program ends; everything that it wrote must have come, once and in order.</summary>
    /// <returns>How many bytes that was.</returns>
    public async Task<long> EndAsync()
    {
        await File.WriteAllTextAsync(_stop, "");
        await _reading.WaitAsync(TimeSpan.FromMinutes(2));
        string error = await _error;
        await _process.WaitForExitAsync();
        Assert.Equal("", _problem);
        Assert.True(_process.ExitCode == 0, error);
        Assert.Equal(long.Parse(error.Trim(), CultureInfo.InvariantCulture) * (NumberDigits + _block.Length), _read);
        return _read;
    }

    public async ValueTask DisposeAsync()
    {
        await File.WriteAllTextAsync(_stop, "");
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        byte[] bytes = new byte[64 * 1024], number = [];
        while (await _process.StandardOutput.BaseStream.ReadAsync(bytes) is > 0 and int count)
        {
            lock (_gate)
            {
                TimeSpan now = _watch.Elapsed;
                _longest = now - _last > _longest ? now - _last : _longest;
                _last = now;
            }

            for (int i = 0; i < count; i++)
            {
                (long block, long at) = Math.DivRem(_read + i, NumberDigits + _block.Length);
                if (at == 0)
                {
                    number = System.Text.Encoding.ASCII.GetBytes(block.ToString($"D{NumberDigits}", CultureInfo.InvariantCulture));
                }

                if (_problem.Length == 0 && bytes[i] != (at < NumberDigits ? number[at] : _block[at - NumberDigits]))
                {
                    _problem = $"byte {_read + i} is not what was written";
                }
            }

            Interlocked.Add(ref _read, count);
        }
    }
}
