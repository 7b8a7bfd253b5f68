namespace AgentMesh.Protocol.Punching;

/// <summary>
/// Finds out how much silence ends a port that a NAT has given out, as RFC 5780, section 4.6, does: an observer is asked, from the usual socket, to send its answer to the outside port of another one, which has said nothing for
/// a while. What arrives there has found a port that lives; a port number that is the same again after silence would prove nothing, since many boxes give out the one they gave before. One socket for each silence that is tried,
/// all beside each other. Without sockets and clocks: answers and the time go in, questions and the next wake-up come out.
/// <code>
/// state      event                                     then
/// waiting    the first port was reached at once        opening (the first begins there)
/// opening    answer from the observer                  settling
/// settling   3 s later: answer again                   quiet, from the last question on: many boxes keep a port longer that was used twice
/// quiet      its silence is over                       reaching
/// reaching   the answer came to the port               lives
/// reaching   three questions without                   checking
/// checking   answer to the usual socket                died; the first port: the observer cannot, over
/// any        three questions without                   not known
/// </code>
/// At most <see cref="QuestionsMax"/> questions in all. Not thread-safe.
/// </summary>
public sealed class PortLifeSearch
{
    /// <summary>Of each kind, to one port.</summary>
    public const int Tries = 3;

    /// <summary>Between the first two uses of a port. Linux keeps one longer that is used both ways after 2 s.</summary>
    public static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(3);

    /// <summary>For one answer. One that comes later counts too, while it can.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(600);

    // A little less than what boxes are usually set to (10, 15, 20, 30, 45, 60, 90 s; 2, 3, 4 and 5 min): what lives that long is kept alive with a margin of a quarter.
    private static readonly int[] SilenceSeconds = [8, 13, 18, 28, 43, 58, 88, 118, 178, 238, 298];

    private readonly Port[] _ports;
    private bool _isAble;

    public PortLifeSearch(TimeSpan now)
    {
        // The first shows that the observer can do it and that the box lets its answer in; no silence is tried there.
        _ports = [new Port(0, TimeSpan.Zero) { State = State.Opening, NextAt = now }, .. SilenceSeconds.Select((seconds, index) => new Port(index + 1, TimeSpan.FromSeconds(seconds)))];
    }

    public static int PortsMax => SilenceSeconds.Length + 1;

    /// <summary>Opening, settling, reaching and checking of every port.</summary>
    public static int QuestionsMax => 4 * Tries * PortsMax;

    /// <summary>From its beginning until all is known, with all repetitions.</summary>
    public static TimeSpan TimeMax => SettleTime + TimeSpan.FromSeconds(SilenceSeconds[^1]) + (7 * Tries * Patience);

    /// <summary>As far as it is known now.</summary>
    public PortLife Result { get; private set; } = PortLife.Unknown;

    /// <summary>Nothing more comes out of it.</summary>
    public bool IsOver => !_ports.Any(port => port.IsAtWork);

    /// <summary>When <see cref="TryAsk"/> has something to ask next; null where it is over.</summary>
    public TimeSpan? NextWakeUp => _ports.Where(port => port.IsAtWork && port.State != State.Waiting).Min(port => (TimeSpan?)port.NextAt);

    /// <summary>The socket of a port is not needed any more.</summary>
    public bool IsDone(int port) => !_ports[port].IsAtWork;

    /// <returns>True where <paramref name="question"/> is to be sent now; to be called until false.</returns>
    public bool TryAsk(TimeSpan now, out PortQuestion question)
    {
        foreach (Port port in _ports)
        {
            while (port.IsAtWork && port.State != State.Waiting && now >= port.NextAt)
            {
                if (port.State == State.Quiet)
                {
                    Enter(port, State.Reaching, now);
                }

                if (port.Asked < Tries)
                {
                    port.Asked++;
                    port.NextAt = now + Patience;
                    port.UsedAt = port.State is State.Opening or State.Settling ? now : port.UsedAt;
                    question = port.State switch
                    {
                        State.Reaching => new PortQuestion(port.Index, PortQuestionKind.Reach, port.Outside),
                        State.Checking => new PortQuestion(port.Index, PortQuestionKind.Control),
                        _ => new PortQuestion(port.Index, PortQuestionKind.Open),
                    };
                    return true;
                }

                Unanswered(port, now);
            }
        }

        question = default;
        return false;
    }

    /// <summary>The answer to <paramref name="question"/> came, where it was to come.</summary>
    /// <param name="seenPort">The port from which the observer saw the question come.</param>
    public void Answered(in PortQuestion question, int seenPort, TimeSpan now)
    {
        Port port = _ports[question.Port];
        switch (question.Kind)
        {
            case PortQuestionKind.Open when port.State == State.Opening:
                port.Outside = seenPort;
                Enter(port, port.Silence == TimeSpan.Zero ? State.Reaching : State.Settling, port.Silence == TimeSpan.Zero ? now : now + SettleTime);
                break;
            case PortQuestionKind.Open when port.State == State.Settling && port.Asked > 0:
                port.Outside = seenPort;
                Enter(port, State.Quiet, port.UsedAt + port.Silence);
                break;
            case PortQuestionKind.Reach when port.State is State.Reaching or State.Checking && question.AnswerTo == port.Outside:
                port.State = State.Lives;
                Conclude(now);
                break;
            case PortQuestionKind.Control when port.State == State.Checking:
                port.State = State.Died;
                Conclude(now);
                break;
        }
    }

    private static void Enter(Port port, State state, TimeSpan at) => (port.State, port.Asked, port.NextAt) = (state, 0, at);

    private void Unanswered(Port port, TimeSpan now)
    {
        if (port.State == State.Reaching)
        {
            Enter(port, State.Checking, now);
            return;
        }

        port.State = State.Unknown;
        Conclude(now);
    }

    private void Conclude(TimeSpan now)
    {
        if (!_isAble && _ports[0].State == State.Lives)
        {
            _isAble = true;
            foreach (Port port in _ports.Skip(1))
            {
                Enter(port, State.Opening, now);
            }
        }
        else if (!_isAble && !_ports[0].IsAtWork)
        {
            foreach (Port port in _ports.Skip(1))
            {
                port.State = State.Unknown;
            }
        }

        // A port that was not reached for another reason than silence is refuted by one that lived longer.
        TimeSpan? lives = _ports.Skip(1).Where(port => port.State == State.Lives).Max(port => (TimeSpan?)port.Silence);
        Result = new PortLife(lives, _ports.Skip(1).Where(port => port.State == State.Died && (lives is null || port.Silence > lives)).Min(port => (TimeSpan?)port.Silence));
    }

    private enum State : byte
    {
        Waiting,
        Opening,
        Settling,
        Quiet,
        Reaching,
        Checking,
        Lives,
        Died,
        Unknown,
    }

    private sealed class Port(int index, TimeSpan silence)
    {
        public int Index => index;

        public TimeSpan Silence => silence;

        public State State { get; set; }

        /// <summary>As the observer saw it last.</summary>
        public int Outside { get; set; }

        /// <summary>When it was last sent from.</summary>
        public TimeSpan UsedAt { get; set; }

        public TimeSpan NextAt { get; set; }

        /// <summary>Questions in this state.</summary>
        public int Asked { get; set; }

        public bool IsAtWork => State < State.Lives;
    }
}
