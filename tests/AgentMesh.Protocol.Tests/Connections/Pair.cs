using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>How a <see cref="Pair"/> is set up. Immutable.</summary>
internal sealed record PairSettings
{
    public int Seed { get; init; } = 1;

    public ConnectionSettings A { get; init; } = new();

    public ConnectionSettings B { get; init; } = new();

    public LinkSettings Link { get; init; } = new();

    public RekeySettings Rekey { get; init; } = new();

    /// <summary>Greatest datagram that is sent, without a search.</summary>
    public int DatagramBytes
    {
        get => Mtu.Max;
        init => Mtu = MtuSettings.Fixed(value);
    }

    /// <summary>What A sends in a second; null: as much as it can.</summary>
    public SendLimit? LimitOfA { get; init; }

    /// <summary>What B receives in a second; null: as much as comes.</summary>
    public ReceiveLimit? LimitOfB { get; init; }

    public MtuSettings Mtu { get; init; } = MtuSettings.Fixed(MtuSettings.Base);
}

/// <summary>Two connections, a network between them and a clock that only moves when there is nothing left to do. The same seed gives the same bytes.</summary>
internal sealed class Pair : IDisposable
{
    // Work without any progress of the clock: an owner that obeys NextTimeout would run in circles.
    private const int StepsAtOneMomentMax = 5_000;

    private readonly PairSettings _settings;
    private int _stepsAtOneMoment;

    public Pair(PairSettings? settings = null)
    {
        _settings = settings ?? new PairSettings();
        var random = new Random(_settings.Seed);
        var toB = new VirtualLink(_settings.Link, new Random(random.Next()));
        var toA = new VirtualLink(_settings.Link, new Random(random.Next()));
        A = Side(isInitiator: true, toB);
        B = Side(isInitiator: false, toA);
    }

    /// <summary>The initiator of the session.</summary>
    public PairSide A { get; }

    public PairSide B { get; }

    public TimeSpan Now { get; private set; } = TestSessions.Start;

    /// <summary>Since the start.</summary>
    public TimeSpan Elapsed => Now - TestSessions.Start;

    /// <summary>Moments at which somebody had to wake up.</summary>
    public long Wakeups { get; private set; }

    public string Describe(string what) =>
        $"{what} (seed {_settings.Seed}, {Elapsed.TotalMilliseconds:0.000} ms; A {A.Connection.End}, B {B.Connection.End})";

    /// <summary>Lets time pass until <paramref name="reached"/> is true; fails when that takes longer than <paramref name="limit"/>.</summary>
    public void Until(Func<bool> reached, TimeSpan? limit = null, string what = "the expected state was not reached")
    {
        TimeSpan end = Now + (limit ?? TimeSpan.FromSeconds(60));
        Settle();
        while (!reached())
        {
            Assert.True(Step(end), Describe(what));
        }
    }

    public void Run(TimeSpan time)
    {
        TimeSpan end = Now + time;
        Settle();
        while (Step(end))
        {
        }

        Now = end;
        Settle();
    }

    public void Run(double milliseconds) => Run(TimeSpan.FromMilliseconds(milliseconds));

    /// <summary>Both sides do what is to be done now, as after a call of the application.</summary>
    public void Settle()
    {
        A.Work();
        B.Work();
    }

    public void Dispose()
    {
        A.Connection.Dispose();
        B.Connection.Dispose();
    }

    private PairSide Side(bool isInitiator, VirtualLink outgoing)
    {
        (ConnectionSettings ours, ConnectionSettings theirs) = isInitiator ? (_settings.A, _settings.B) : (_settings.B, _settings.A);
        EstablishedSession session = TestSessions.Of(isInitiator, TransportParameters.Of(theirs), _settings.Rekey);
        return new PairSide(this, new Connection(session, ours, _settings.Mtu, Now, share: isInitiator ? _settings.LimitOfA?.Open() : null, credit: isInitiator ? null : _settings.LimitOfB?.Open()), (PacketProtector)session.Protector, outgoing);
    }

    /// <summary>Goes to the next moment at which something happens. False when that is not before <paramref name="end"/>.</summary>
    private bool Step(TimeSpan end)
    {
        TimeSpan timer = Min(A.Connection.NextTimeout(), B.Connection.NextTimeout());
        TimeSpan next = Min(timer, Min(A.Outgoing.NextArrival, B.Outgoing.NextArrival));
        if (next > end)
        {
            return false;
        }

        _stepsAtOneMoment = next > Now ? 0 : _stepsAtOneMoment + 1;
        Assert.True(_stepsAtOneMoment < StepsAtOneMomentMax, Describe("the connection asks to be woken again and again"));
        Now = next > Now ? next : Now;
        Wakeups++;
        Deliver(A.Outgoing, B);
        Deliver(B.Outgoing, A);
        Settle();
        return true;
    }

    private void Deliver(VirtualLink link, PairSide to)
    {
        while (link.Receive(Now, out EcnCodepoint ecn) is { } datagram)
        {
            to.Deliver(datagram, ecn);
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
