using Akka.Remote;

namespace AgentMesh.EngineTests.Remote;

public sealed class FailureDetectorTests
{
    private long _now = 1_000_000;

    [Fact]
    public void Nothing_speaks_against_what_never_sent_a_heartbeat()
    {
        FailureDetector[] detectors = [Phi(), Deadline()];
        _now += 1_000_000;
        Assert.All(detectors, detector => Assert.Equal((true, false), (detector.IsAvailable, detector.IsMonitoring)));
    }

    [Fact]
    public void Regular_heartbeats_keep_it_available_and_silence_ends_that()
    {
        foreach (FailureDetector detector in (FailureDetector[])[Phi(), Deadline()])
        {
            for (int i = 0; i < 100; i++)
            {
                detector.HeartBeat();
                _now += 1000;
                Assert.True(detector.IsAvailable);
            }

            _now += 20_000;
            Assert.Equal((false, true), (detector.IsAvailable, detector.IsMonitoring));
            detector.HeartBeat();
            Assert.True(detector.IsAvailable);
        }
    }

    [Fact]
    public void The_acceptable_pause_is_accepted()
    {
        PhiAccrualFailureDetector detector = Phi();
        for (int i = 0; i < 100; i++)
        {
            detector.HeartBeat();
            _now += 1000;
        }

        _now += 2_500;
        Assert.True(detector.IsAvailable);
    }

    [Fact]
    public void Suspicion_grows_and_is_sooner_where_heartbeats_were_regular()
    {
        PhiAccrualFailureDetector regular = Phi(), irregular = Phi();
        var random = new Random(3);
        for (int i = 0; i < 200; i++)
        {
            _now += 1000;
            regular.HeartBeat();
        }

        long regularSince = _now;
        for (int i = 0; i < 200; i++)
        {
            _now += 200 + random.Next(1600);
            irregular.HeartBeat();
        }

        long irregularSince = _now;
        double before = -1;
        for (long silence = 500; silence < 8_000; silence += 500)
        {
            _now = regularSince + silence;
            double phi = regular.CurrentPhi;
            _now = irregularSince + silence;
            Assert.True(phi >= before, $"{phi} after {silence} ms, {before} earlier");
            before = phi;
            if (silence > 4_500)
                Assert.True(phi > irregular.CurrentPhi);
        }
    }

    [Fact]
    public void A_long_failure_does_not_blunt_the_detector()
    {
        PhiAccrualFailureDetector detector = Phi();
        for (int i = 0; i < 50; i++)
        {
            detector.HeartBeat();
            _now += 1000;
        }

        _now += 3_600_000;
        detector.HeartBeat();
        _now += 1000;
        detector.HeartBeat();
        _now += 20_000;

        Assert.False(detector.IsAvailable);
    }

    [Fact]
    public void A_registry_keeps_one_detector_for_each_resource()
    {
        var registry = new DefaultFailureDetectorRegistry<string>(Deadline);
        registry.Heartbeat("a");
        _now += 20_000;
        registry.Heartbeat("b");

        Assert.Equal((false, true, true), (registry.IsAvailable("a"), registry.IsAvailable("b"), registry.IsAvailable("never seen")));
        registry.Remove("a");
        Assert.Equal((true, false), (registry.IsAvailable("a"), registry.IsMonitoring("a")));
        registry.Reset();
        Assert.False(registry.IsMonitoring("b"));
    }

    [Theory]
    [InlineData(0, 10, 1, 1, 1)]
    [InlineData(8, 0, 1, 1, 1)]
    [InlineData(8, 10, 0, 1, 1)]
    [InlineData(8, 10, 1, -1, 1)]
    [InlineData(8, 10, 1, 1, 0)]
    public void Settings_that_make_no_sense_are_refused(double threshold, int samples, int deviation, int pause, int interval) =>
        Assert.Throws<ArgumentException>(() => new PhiAccrualFailureDetector(
            threshold, samples, TimeSpan.FromSeconds(deviation), TimeSpan.FromSeconds(pause), TimeSpan.FromSeconds(interval)));

    private PhiAccrualFailureDetector Phi() =>
        new(8, 200, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1), () => _now);

    private DeadlineFailureDetector Deadline() => new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1), () => _now);
}
