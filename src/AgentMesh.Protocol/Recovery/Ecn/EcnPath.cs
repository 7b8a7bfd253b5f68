namespace AgentMesh.Protocol.Recovery;

/// <summary>Whether marks may be asked for on a path.</summary>
internal enum EcnState : byte
{
    /// <summary>The first packets ask, to see what becomes of them.</summary>
    Testing,

    /// <summary>As many asked as the test needs; none do until something is known of these.</summary>
    Waiting,

    /// <summary>The path keeps the codepoint: all packets ask.</summary>
    Capable,

    /// <summary>None asks any more.</summary>
    Failed,
}

/// <summary>
/// What is known of a path and ECN (RFC 9000, section 13.4.2 and appendix A.4). Belongs to <see cref="Connections.PathTraffic"/>.
/// <code>
/// Testing  --ten sent--> Waiting
/// Testing, Waiting  --one arrived as ECT(0), and the counts are right--> Capable
/// Waiting  --all that arrived were marked--> Testing, and after forty such tests Failed
/// Testing, Waiting  --all lost--> Failed
/// Capable  --a probe timeout--> Testing       (a route that drops them may have taken over)
/// any      --the counts are not right--> Failed
/// </code>
/// </summary>
internal sealed class EcnPath
{
    /// <summary>RFC 9000, appendix A.4.</summary>
    public const int TestPackets = 10;

    // Who comes to a link that is full already finds its queue too long; who is never told otherwise is behind something that marks everything.
    private const int MarkedTestsMax = 40;

    // A side that says little: the test is over as well when so many probe timeouts were due to its packets.
    private const int TestTimeouts = 3;

    private ulong _testFrom;
    private int _sent;
    private int _lost;
    private int _marked;
    private int _open;
    private int _markedTests;
    private int _timeouts;
    private bool _hasArrived;

    public EcnState State { get; private set; }

    /// <summary>The next packets ask for marks, so many at most; 0: they do not.</summary>
    public int SendMax => State switch
    {
        EcnState.Testing => TestPackets - _sent,
        EcnState.Capable => int.MaxValue,
        _ => 0,
    };

    private bool IsTest => State is EcnState.Testing or EcnState.Waiting;

    public void Sent()
    {
        if (State != EcnState.Testing)
        {
            return;
        }

        _open++;
        if (++_sent >= TestPackets)
        {
            State = EcnState.Waiting;
        }
    }

    /// <summary>A packet that asked was lost, which only something later that arrived can show.</summary>
    public void Lost(ulong number)
    {
        if (IsTest && number >= _testFrom)
        {
            _lost++;
            _open--;
            State = !_hasArrived && (_lost >= TestPackets || _timeouts >= TestTimeouts) ? EcnState.Failed : State;
            TestAgainWhenAllWereMarked();
        }
    }

    public void Acked(ulong number) => _hasArrived |= number >= _testFrom;

    /// <summary>Nothing was acknowledged for a probe timeout. Probes never ask for marks.</summary>
    /// <param name="next">The number that the next packet gets.</param>
    public void TimedOut(ulong next)
    {
        if (State == EcnState.Capable)
        {
            State = EcnState.Testing;
            _testFrom = next;
            _sent = _lost = _marked = _open = _markedTests = _timeouts = 0;
            _hasArrived = false;
        }
        else if (IsTest && _sent > 0)
        {
            _timeouts++;
        }
    }

    /// <summary>The counts of an ACK frame are right.</summary>
    /// <param name="newlyAcked">Packets that asked and that it acknowledged for the first time.</param>
    /// <param name="unmarked">How many more have arrived as ECT(0).</param>
    public void Validated(int newlyAcked, ulong unmarked)
    {
        if (!IsTest || newlyAcked == 0)
        {
            return;
        }

        _marked += newlyAcked;
        _open -= newlyAcked;
        State = unmarked > 0 ? EcnState.Capable : State;
        TestAgainWhenAllWereMarked();
    }

    public void Fail() => State = EcnState.Failed;

    // One test in a round trip: the queue has that long to become shorter, since the marks are heeded.
    private void TestAgainWhenAllWereMarked()
    {
        if (State == EcnState.Waiting && _open <= 0 && _marked > 0)
        {
            State = ++_markedTests >= MarkedTestsMax ? EcnState.Failed : EcnState.Testing;
            _sent = _open = 0;
        }
    }
}
