using AgentMesh.Cli.Output;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

public sealed class ForegroundProgressTests
{
    private const string Up = "\r\u001b[J";

    private readonly StringWriter _screen = new();
    private readonly SetTime _time = new();
    private readonly ForegroundProgress _progress;

    public ForegroundProgressTests() => _progress = new ForegroundProgress(new LiveLines(_screen, () => (100, 20)), colour: false, _time);

    [Fact]
    public void The_line_stays_below_what_is_written_and_is_gone_at_the_end()
    {
        _progress.Begin(Job("a"));
        _progress.Draw();
        Assert.Equal("", _screen.ToString());

        _progress.Look(Job("a", 0.5, "epoch 1"));
        _progress.Draw();
        string line = "[########--------]  50 %  epoch 1";
        Assert.Equal(line, _screen.ToString());

        _time.Pass(0.2);
        _progress.Write(() => _screen.Write("one\n"), isLineEnd: true);
        Assert.Equal($"{line}{Up}one\n{line}", _screen.ToString());

        _progress.End(Job("a"));
        _progress.Draw();
        Assert.EndsWith($"one\n{line}{Up}", _screen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_drawn_behind_a_line_that_is_not_at_its_end()
    {
        _progress.Begin(Job("a"));
        _progress.Look(Job("a", 0.25));
        _progress.Write(() => _screen.Write("loading..."), isLineEnd: false);
        _progress.Draw();
        Assert.Equal("loading...", _screen.ToString());
        _progress.Write(() => _screen.Write(" done\n"), isLineEnd: true);
        _progress.Draw();
        Assert.Equal("loading... done\n[####------------]  25 %", _screen.ToString());
    }

    [Fact]
    public void Of_several_jobs_those_that_are_over_are_counted()
    {
        foreach (string name in (string[])["a", "b", "c", "d"])
        {
            _progress.Begin(Job(name));
        }

        _progress.End(Job("a") with { State = "completed" });
        _progress.End(Job("b") with { State = "failed" });
        _progress.Look(Job("c", 0.5, "half\u001b[2J"));
        _progress.Draw();
        Assert.Equal("c: [########--------]  50 %  half [2J\n[########--------]  50 %  2 of 4 done, 1 failed, 2 running", _screen.ToString());
    }

    [Fact]
    public void Rate_and_time_left_follow_the_last_minute_and_begin_anew_with_an_attempt()
    {
        var pace = new ProgressPace(_time);
        pace.Add(0.1);
        Assert.Equal("", pace.Words);
        _time.Pass(10);
        pace.Add(0.6);
        Assert.Equal("5.0 %/s, 8 s left", pace.Words);
        _time.Pass(10);
        Assert.Equal("2.5 %/s, 16 s left", pace.Words);
        pace.Add(0.05);
        Assert.Equal("", pace.Words);
        _time.Pass(100);
        pace.Add(0.06);
        Assert.Equal("36.0 %/h, 3 h left", pace.Words);
        pace.Add(1);
        Assert.Equal("", pace.Words);
    }

    private static JobView Job(string name, double? fraction = null, string text = "") =>
        new(name, name, "running", "run -- it", "id", name, 1, 1, DateTimeOffset.UnixEpoch, null, null, null, null, null, null, null, null, null)
        {
            Progress = fraction is null ? null : new ProgressView(fraction, text),
        };

    private sealed class SetTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1_000;

        public override long GetTimestamp() => _now;

        public void Pass(double seconds) => _now += (long)(seconds * 1_000);
    }
}
