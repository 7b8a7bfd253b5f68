using AgentMesh.Engine.Remote;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Event;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace Akka.Remote.Associations;

/// <summary>
/// What this system has with one other: messages that wait, the connection they go over, which incarnation is there, and which are refused.
/// </summary>
/// <remarks>
/// <code>
/// Idle        something to send         Connecting
/// Connecting  welcomed                  Open
/// Connecting  failed or refused         Gated (50 ms, doubling)
/// Open        connection lost           Idle, system messages kept
/// Open        another incarnation met   Idle, system messages dropped, the incarnation before refused
/// Gated       time over, or called      Idle
/// </code>
/// One loop sends; it runs only while there is something to send. Calls from the other side are independent of all that: the latest one counts.
/// Locks are taken in this order: <c>_metGate</c>, the gate of an inbound connection, <c>_receiveGate</c>, <c>_gate</c>.
/// </remarks>
internal sealed partial class Association
{
    private static readonly TimeSpan GateMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RefusedWait = TimeSpan.FromMilliseconds(2);

    private readonly object _gate = new();
    private readonly object _metGate = new();
    private readonly object _receiveGate = new();
    private readonly Remoting _remoting;
    private readonly RemotingSettings _settings;
    private readonly ILoggingAdapter _log;
    private readonly Queue<Outgoing> _ordinary = new();
    private readonly Queue<Outgoing> _control = new();
    private readonly Queue<(long Sequence, Outgoing Message)> _system = new();
    private readonly SystemSendBuffer<Outgoing> _unacknowledged;
    private readonly Incarnations _incarnations = new();
    private SystemReceiveBuffer<Action> _received;
    private OutboundConnection? _connection;
    private InboundConnection? _caller;
    private TaskCompletionSource? _hurry;
    private ulong _attempts;
    private long _gatedUntil;
    private TimeSpan _gateFor = GateMin;
    private bool _sending;
    private bool _resendScheduled;
    private bool _retired;
    private bool _closed;
    private ITimer? _resend;

    public Association(Remoting remoting, Address remote)
    {
        _remoting = remoting;
        _settings = remoting.Settings;
        Remote = remote;
        _log = Logging.GetLogger(remoting.System, $"association({remote})");
        _unacknowledged = new SystemSendBuffer<Outgoing>(_settings.SystemBufferSize);
        _received = new SystemReceiveBuffer<Action>(_settings.SystemEarlyMax);
    }

    public Address Remote { get; }

    private TimeProvider Clock => _remoting.System.Settings.Clock;

    private bool IsGated => _gatedUntil != 0 && Clock.GetTimestamp() < _gatedUntil;

    /// <returns>False when the association has been retired: ask for a new one.</returns>
    public bool Send(in Outgoing message)
    {
        string? dropped = null;
        lock (_gate)
        {
            Queue<Outgoing> lane = message.Recipient.IsControl ? _control : _ordinary;
            if (_retired)
                return false;
            if (_remoting.IsStopping)
                dropped = "remoting has been shut down";
            else if (IsGated)
                dropped = "the system could not be reached a moment ago";
            else if (lane.Count >= _settings.QueueSize)
                dropped = "too many messages wait for the system";
            else
                lane.Enqueue(message);
            if (message.Recipient.IsControl)
                _hurry?.TrySetResult();
        }

        if (dropped is null)
            Wake();
        else
            Drop(message, dropped);
        return true;
    }

    /// <inheritdoc cref="Send"/>
    public bool SendSystem(in Outgoing message)
    {
        bool full = false;
        lock (_gate)
        {
            if (_retired)
                return false;
            if (_remoting.IsStopping)
                return true;
            if (_unacknowledged.IsFull)
                full = true;
            else
                _system.Enqueue((_unacknowledged.Add(message, Clock.GetUtcNow()), message));
            _hurry?.TrySetResult();
        }

        if (full)
        {
            // Not here: the caller may hold the gate of an inbound connection.
            _ = Task.Run(() => GiveUp("too many system messages wait for an acknowledgement"));
        }
        else
        {
            Wake();
        }

        return true;
    }

    /// <summary>A system at this address has greeted. What an earlier call still carries is not taken any more.</summary>
    public Greeting Called(InboundConnection caller)
    {
        lock (_metGate)
        {
            InboundConnection? before;
            lock (_gate)
            {
                if (_retired)
                    return Greeting.Retired;
                if (_incarnations.IsRefused(caller.Incarnation))
                    return Greeting.Quarantined;
                before = _caller;
                if (before is not null && before.Incarnation == caller.Incarnation && before.Attempt > caller.Attempt)
                    return Greeting.Late;
                _caller = caller;
                _gatedUntil = 0;
                _gateFor = GateMin;
            }

            before?.Expire(before.Incarnation == caller.Incarnation ? Goodbye.Types.Reason.Unknown : Goodbye.Types.Reason.Quarantined);
            Met(caller.Incarnation);
        }

        Wake();
        return Greeting.Welcome;
    }

    /// <summary>The caller has hung up.</summary>
    /// <returns>False when it was not the latest: what it says concerns nobody any more.</returns>
    public bool HungUp(InboundConnection caller)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(caller, _caller))
                return false;
            _caller = null;
            return true;
        }
    }

    /// <summary>Forgets an association that never came to be and has nothing to do. It takes nothing any more then.</summary>
    public bool TryRetire()
    {
        lock (_gate)
        {
            _retired |= _incarnations.Current == 0 && !_incarnations.HasRefused && !_sending && !HasWork && _unacknowledged.Count == 0 && _connection is null && _caller is null;
            return _retired;
        }
    }

    /// <summary>System messages that came in; returns what to acknowledge.</summary>
    public SystemAckRange Receive(long sequence, Action deliver)
    {
        List<Action> ready = [];
        SystemAckRange ack;
        lock (_receiveGate)
        {
            _received.Receive(sequence, deliver, ready);
            ack = _received.Ack;

            // Delivered under the lock, so that nothing overtakes.
            foreach (Action each in ready)
                each();
        }

        return ack;
    }

    /// <param name="uid">Null: whichever incarnation is there. One that is not, or not yet, is refused when it calls.</param>
    public void Quarantine(int? uid, string reason)
    {
        int quarantined;
        bool isCurrent;
        OutboundConnection? connection = null;
        InboundConnection? caller = null;
        lock (_gate)
        {
            long current = _incarnations.Current;
            isCurrent = current != 0 && (uid is null || uid == AddressUid.ShortOf(current));
            if (isCurrent)
            {
                if (_incarnations.IsRefused(current))
                    return;
                _incarnations.Refuse(current);
                DropSystem();
                connection = _connection;
                _connection = null;
                caller = _caller;
                _caller = null;
            }
            else if (uid is not { } absent || !_incarnations.Refuse(absent))
            {
                return;
            }

            quarantined = uid ?? AddressUid.ShortOf(current);
        }

        connection?.Close(Goodbye.Types.Reason.Quarantined);
        caller?.Expire(Goodbye.Types.Reason.Quarantined);
        _log.Warning("Quarantined: {0}", reason);
        _remoting.Publish(new QuarantinedEvent(Remote, quarantined));
        if (isCurrent)
            _remoting.System.AddressTerminatedTopic.Publish(new AddressTerminated(Remote));
    }

    public void Acknowledged(OutboundConnection from, SystemAck ack)
    {
        lock (_gate)
        {
            if (ReferenceEquals(from, _connection))
                _unacknowledged.Acknowledge(new SystemAckRange((long)ack.Through, [.. ack.Beyond.Select(number => (long)number)]));
        }
    }

    public void Lost(OutboundConnection from, Goodbye.Types.Reason reason)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(from, _connection))
                return;
            _connection = null;
        }

        _remoting.Publish(new DisassociatedEvent(_remoting.DefaultAddress, Remote, inbound: false));
        if (reason == Goodbye.Types.Reason.Quarantined)
            _remoting.Publish(new ThisActorSystemQuarantinedEvent(_remoting.DefaultAddress, Remote));
        if (reason == Goodbye.Types.Reason.Shutdown)
            _remoting.System.AddressTerminatedTopic.Publish(new AddressTerminated(Remote));
        Wake();
    }

    public async Task FlushAsync(TimeSpan within)
    {
        long start = Clock.GetTimestamp();
        while (Clock.GetElapsedTime(start) < within)
        {
            lock (_gate)
            {
                bool waits = _sending || HasWork || (_connection is not null && _unacknowledged.Count > 0);
                if (!waits || (IsGated && _connection is null))
                    return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), Clock).ConfigureAwait(false);
        }
    }

    public void Close()
    {
        OutboundConnection? connection;
        lock (_gate)
        {
            connection = _connection;
            _connection = null;
            _closed = true;
            _resend?.Dispose();
        }

        connection?.Close(Goodbye.Types.Reason.Shutdown);
    }

    /// <summary>This incarnation is there now. Another than before means that the earlier one is gone for good. Under <c>_metGate</c>.</summary>
    private void Met(long incarnation)
    {
        bool replaced;
        OutboundConnection? connection = null;
        InboundConnection? caller = null;
        lock (_gate)
        {
            if (_incarnations.Current == incarnation)
                return;
            replaced = _incarnations.Current != 0;
            _incarnations.Replace(incarnation);
            if (replaced)
            {
                DropSystem();
                connection = _connection;
                _connection = null;
                if (_caller is not null && _caller.Incarnation != incarnation)
                {
                    caller = _caller;
                    _caller = null;
                }
            }
        }

        // It must be silent before the numbers start again: they would be taken for those of the new one.
        caller?.Expire(Goodbye.Types.Reason.Quarantined);
        connection?.Close(Goodbye.Types.Reason.Quarantined);
        lock (_receiveGate)
            _received = new SystemReceiveBuffer<Action>(_settings.SystemEarlyMax);

        if (replaced)
            _remoting.System.AddressTerminatedTopic.Publish(new AddressTerminated(Remote));
    }

    /// <summary>
    /// System messages do not arrive. An incarnation that has been there is quarantined, because their numbers cannot start again for it; for a
    /// system that has never been there they can.
    /// </summary>
    private void GiveUp(string reason)
    {
        bool isDropped = false;
        lock (_gate)
        {
            if (_incarnations.Current == 0 || _incarnations.IsRefused(_incarnations.Current))
            {
                isDropped = true;
                DropSystem();
            }
        }

        // Among them may be who asked to be told of an actor's end.
        if (isDropped)
            _remoting.System.AddressTerminatedTopic.Publish(new AddressTerminated(Remote));
        Quarantine(null, reason);
    }

    private bool IsRefused(long incarnation)
    {
        lock (_gate)
            return _incarnations.IsRefused(incarnation);
    }

    private void DropSystem()
    {
        _unacknowledged.Reset();
        _system.Clear();
    }

    private void Drop(in Outgoing message, string reason) =>
        _remoting.System.EventStream.Publish(message.Message is IDeadLetterSuppression suppressed
            ? new SuppressedDeadLetter(suppressed, message.Sender ?? _remoting.Provider.DeadLetters, message.Recipient)
            : new Dropped(message.Message, reason, message.Sender ?? _remoting.Provider.DeadLetters, message.Recipient));
}

/// <summary>What a greeting is answered with.</summary>
internal enum Greeting
{
    Welcome = 1,

    /// <summary>That incarnation is refused.</summary>
    Quarantined = 2,

    /// <summary>A later call of the same incarnation was faster.</summary>
    Late = 3,

    /// <summary>The association is one no more; another must be asked.</summary>
    Retired = 4,
}
