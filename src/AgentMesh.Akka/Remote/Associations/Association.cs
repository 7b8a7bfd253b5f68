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
/// Gated       time over, or called      Idle
/// </code>
/// One loop sends; it runs only while there is something to send.
/// </remarks>
internal sealed class Association
{
    private static readonly TimeSpan GateMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RefusedWait = TimeSpan.FromMilliseconds(2);
    private const int RefusedIncarnationsMax = 32;

    private readonly object _gate = new();
    private readonly object _receiveGate = new();
    private readonly Remoting _remoting;
    private readonly RemotingSettings _settings;
    private readonly ILoggingAdapter _log;
    private readonly Queue<Outgoing> _ordinary = new();
    private readonly Queue<Outgoing> _control = new();
    private readonly Queue<(long Sequence, Outgoing Message)> _system = new();
    private readonly SystemSendBuffer<Outgoing> _unacknowledged;
    private readonly Queue<long> _refused = new();
    private SystemReceiveBuffer<Action> _received;
    private OutboundConnection? _connection;
    private long _incarnation;
    private long _gatedUntil;
    private TimeSpan _gateFor = GateMin;
    private bool _sending;
    private bool _resendScheduled;
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

    public void Send(in Outgoing message)
    {
        string? dropped = null;
        lock (_gate)
        {
            Queue<Outgoing> lane = message.Recipient.IsControl ? _control : _ordinary;
            if (_remoting.IsStopping)
                dropped = "remoting has been shut down";
            else if (IsGated)
                dropped = "the system could not be reached a moment ago";
            else if (lane.Count >= _settings.QueueSize)
                dropped = "too many messages wait for the system";
            else
                lane.Enqueue(message);
        }

        if (dropped is null)
            Wake();
        else
            Drop(message, dropped);
    }

    public void SendSystem(in Outgoing message)
    {
        bool full = false;
        lock (_gate)
        {
            if (_remoting.IsStopping)
                return;
            if (_unacknowledged.IsFull)
                full = true;
            else
                _system.Enqueue((_unacknowledged.Add(message, Clock.GetUtcNow()), message));
        }

        if (full)
            Quarantine(null, "too many system messages wait for an acknowledgement");
        else
            Wake();
    }

    /// <summary>A system at this address has called. False when that incarnation is refused.</summary>
    public bool Called(long incarnation)
    {
        lock (_gate)
        {
            if (_refused.Contains(incarnation))
                return false;
            _gatedUntil = 0;
            _gateFor = GateMin;
        }

        Met(incarnation);
        Wake();
        return true;
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

    public void Quarantine(int? uid, string reason)
    {
        int quarantined;
        OutboundConnection? connection;
        lock (_gate)
        {
            if (_incarnation == 0 || (uid is { } wanted && wanted != AddressUid.ShortOf(_incarnation)) || _refused.Contains(_incarnation))
                return;
            _refused.Enqueue(_incarnation);
            if (_refused.Count > RefusedIncarnationsMax)
                _refused.Dequeue();
            quarantined = AddressUid.ShortOf(_incarnation);
            DropSystem();
            connection = _connection;
            _connection = null;
        }

        connection?.Close(Goodbye.Types.Reason.Quarantined);
        _log.Warning("Quarantined: {0}", reason);
        _remoting.Publish(new QuarantinedEvent(Remote, quarantined));
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
                bool waits = _ordinary.Count + _control.Count + _system.Count > 0 || (_connection is not null && _unacknowledged.Count > 0);
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
            _resend?.Dispose();
        }

        connection?.Close(Goodbye.Types.Reason.Shutdown);
    }

    /// <summary>This incarnation is there now. Another than before means that the earlier one is gone for good.</summary>
    private void Met(long incarnation)
    {
        bool replaced;
        OutboundConnection? stale = null;
        lock (_gate)
        {
            replaced = _incarnation != 0 && _incarnation != incarnation;
            if (_incarnation == incarnation)
                return;
            _incarnation = incarnation;
            if (replaced)
            {
                DropSystem();

                // It leads to the earlier incarnation; the transport may take long to find out.
                stale = _connection;
                _connection = null;
            }
        }

        stale?.Close(Goodbye.Types.Reason.Unknown);

        lock (_receiveGate)
            _received = new SystemReceiveBuffer<Action>(_settings.SystemEarlyMax);

        if (replaced)
            _remoting.System.AddressTerminatedTopic.Publish(new AddressTerminated(Remote));
    }

    private bool IsRefused(long incarnation)
    {
        lock (_gate)
            return _refused.Contains(incarnation);
    }

    private void DropSystem()
    {
        _unacknowledged.Reset();
        _system.Clear();
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_sending || _remoting.IsStopping)
                return;
            _sending = true;
        }

        _ = Task.Run(SendLoopAsync);
    }

    private bool HasWork => _ordinary.Count + _control.Count + _system.Count > 0;

    private async Task SendLoopAsync()
    {
        try
        {
            while (true)
            {
                lock (_gate)
                {
                    if (!HasWork || _remoting.IsStopping || (IsGated && _connection is null))
                    {
                        _sending = false;
                        if (HasWork && !_remoting.IsStopping)
                            ScheduleResend();
                        return;
                    }
                }

                if (await ConnectAsync().ConfigureAwait(false) is not { } connection)
                    continue;
                if (!SendSome(connection))
                    await connection.WritableAsync(RefusedWait, Clock).ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            _log.Error(error, "Sending stopped");
            lock (_gate)
                _sending = false;
        }
    }

    private async Task<OutboundConnection?> ConnectAsync()
    {
        lock (_gate)
        {
            if (_connection is { } present)
                return present;
        }

        OutboundConnection? fresh = null;
        try
        {
            AssociationHandle handle = await _remoting.AssociateAsync(Remote).WaitAsync(_settings.HandshakeTimeout, Clock).ConfigureAwait(false);
            fresh = new OutboundConnection(this, handle);
            long incarnation = await fresh.GreetAsync(_remoting.DefaultAddress, _remoting.Incarnation, _settings.HandshakeTimeout, Clock).ConfigureAwait(false);
            if (IsRefused(incarnation))
            {
                fresh.Close(Goodbye.Types.Reason.Quarantined);
                throw new InvalidAssociationException($"{Remote} is quarantined");
            }

            Met(incarnation);
            lock (_gate)
            {
                _connection = fresh;
                _gatedUntil = 0;
                _gateFor = GateMin;
                RequeueUnacknowledged();
            }

            _remoting.Publish(new AssociatedEvent(_remoting.DefaultAddress, Remote, inbound: false));
            return fresh;
        }
        catch (Exception error)
        {
            fresh?.Close(Goodbye.Types.Reason.Unknown);
            CloseGate(error);
            if (fresh?.End == Goodbye.Types.Reason.Quarantined)
                _remoting.Publish(new ThisActorSystemQuarantinedEvent(_remoting.DefaultAddress, Remote));
            return null;
        }
    }

    private void CloseGate(Exception cause)
    {
        Outgoing[] dropped;
        lock (_gate)
        {
            _gatedUntil = Clock.GetTimestamp() + (long)(_gateFor.TotalSeconds * Clock.TimestampFrequency);
            TimeSpan twice = _gateFor + _gateFor;
            _gateFor = twice < _settings.GateMax ? twice : _settings.GateMax;
            dropped = [.. _control, .. _ordinary];
            _control.Clear();
            _ordinary.Clear();
            if (_unacknowledged.OldestSince is { } since && Clock.GetUtcNow() - since > _settings.DeliveryTimeout)
                DropSystem();
        }

        _remoting.Publish(new AssociationErrorEvent(cause, _remoting.DefaultAddress, Remote, inbound: false, LogLevel.DebugLevel));
        foreach (Outgoing message in dropped)
            Drop(message, "the system cannot be reached");
    }

    /// <summary>What may not have arrived over the last connection goes over the new one first.</summary>
    private void RequeueUnacknowledged()
    {
        _system.Clear();
        foreach ((long sequence, Outgoing item) in _unacknowledged.Unacknowledged)
            _system.Enqueue((sequence, item));
    }

    /// <returns>False when the connection takes nothing more now.</returns>
    private bool SendSome(OutboundConnection connection)
    {
        var builder = new BatchBuilder(_remoting.System, _remoting.MaximumPayloadBytes(Remote));
        if (connection.PendingControl is null)
        {
            FillSystem(builder);
            Fill(builder, _control);
            if (!builder.IsEmpty)
                connection.PendingControl = builder.Take();
        }

        bool controlSent = connection.TryWriteControl();
        if (connection.PendingOrdinary is null)
        {
            Fill(builder, _ordinary);
            if (!builder.IsEmpty)
                connection.PendingOrdinary = builder.Take();
        }

        return connection.TryWriteOrdinary() && controlSent;
    }

    private void FillSystem(BatchBuilder builder)
    {
        while (builder.Bytes < _settings.BatchBytes)
        {
            (long Sequence, Outgoing Message) next;
            lock (_gate)
            {
                if (!_system.TryPeek(out next))
                    break;
            }

            bool added = TryAdd(builder, next.Message, (ulong)next.Sequence, out bool failed);
            if (!added && !failed)
                break;
            lock (_gate)
            {
                if (_system.TryPeek(out (long Sequence, Outgoing Message) same) && same.Sequence == next.Sequence)
                    _system.Dequeue();
            }
        }

        if (!builder.IsEmpty)
            ScheduleResend();
    }

    private void Fill(BatchBuilder builder, Queue<Outgoing> lane)
    {
        while (builder.Bytes < _settings.BatchBytes)
        {
            Outgoing next;
            lock (_gate)
            {
                if (!lane.TryPeek(out next))
                    return;
            }

            bool added = TryAdd(builder, next, 0, out bool failed);
            if (!added && !failed)
                return;
            lock (_gate)
            {
                // Only this loop takes from the lane, unless the gate closed meanwhile.
                if (lane.Count > 0)
                    lane.Dequeue();
            }
        }
    }

    /// <returns>False with <paramref name="failed"/> when the message can never be sent, without when the payload is full.</returns>
    private bool TryAdd(BatchBuilder builder, in Outgoing message, ulong sequence, out bool failed)
    {
        failed = false;
        try
        {
            if (builder.TryAdd(message, sequence))
                return true;
            if (!builder.IsEmpty)
                return false;
            failed = true;
            _log.Error("A message of type [{0}] to [{1}] is too large for one payload of [{2}] bytes and was dropped", message.Message.GetType().Name, message.Recipient.Path, _remoting.MaximumPayloadBytes(Remote));
        }
        catch (Exception error)
        {
            failed = true;
            _log.Error(error, "A message of type [{0}] to [{1}] cannot be written and was dropped", message.Message.GetType().FullName!, message.Recipient.Path);
        }

        return false;
    }

    private void ScheduleResend()
    {
        lock (_gate)
        {
            if (_resendScheduled || _remoting.IsStopping)
                return;
            _resendScheduled = true;
            _resend ??= Clock.CreateTimer(_ => OnResend(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _resend.Change(_settings.ResendInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnResend()
    {
        bool tooLate;
        lock (_gate)
        {
            _resendScheduled = false;
            tooLate = _unacknowledged.OldestSince is { } since && Clock.GetUtcNow() - since > _settings.DeliveryTimeout;
            if (!tooLate && _system.Count == 0)
            {
                foreach ((long sequence, Outgoing item) in _unacknowledged.Unacknowledged.Take(_settings.ResendLimit))
                    _system.Enqueue((sequence, item));
            }

            if (_system.Count == 0)
                return;
        }

        if (tooLate)
            Quarantine(null, "a system message was not acknowledged in time");
        else
            Wake();
        ScheduleResend();
    }

    private void Drop(in Outgoing message, string reason) =>
        _remoting.System.EventStream.Publish(message.Message is IDeadLetterSuppression suppressed
            ? new SuppressedDeadLetter(suppressed, message.Sender ?? _remoting.Provider.DeadLetters, message.Recipient)
            : new Dropped(message.Message, reason, message.Sender ?? _remoting.Provider.DeadLetters, message.Recipient));
}
