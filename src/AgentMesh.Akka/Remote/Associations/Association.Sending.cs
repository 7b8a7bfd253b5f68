using AgentMesh.Engine.Wire;
using Akka.Event;
using Akka.Remote.Transport;

namespace Akka.Remote.Associations;

/// <summary>The loop that connects and sends, and the repetition of what is not acknowledged.</summary>
internal sealed partial class Association
{
    private const string NotAcknowledged = "a system message was not acknowledged in time";

    private static readonly Task Never = new TaskCompletionSource().Task;

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

    private bool IsUndeliverable => _unacknowledged.OldestSince is { } since && Clock.GetUtcNow() - since > _settings.DeliveryTimeout;

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
                    await connection.WritableAsync(RefusedWait, Hurry(connection), Clock).ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            _log.Error(error, "Sending stopped");
            lock (_gate)
                _sending = false;
        }
    }

    /// <summary>Completes when a control message should not wait until ordinary ones can be written again.</summary>
    private Task Hurry(OutboundConnection connection)
    {
        lock (_gate)
        {
            // The control lane itself is full: more for it is no reason to look again.
            if (connection.PendingControl is not null)
                return Never;
            if (_control.Count + _system.Count > 0)
                return Task.CompletedTask;
            _hurry = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _hurry.Task;
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
            AssociationHandle handle = await AssociateAsync().ConfigureAwait(false);
            fresh = new OutboundConnection(this, handle);
            long incarnation = await fresh.GreetAsync(_remoting.DefaultAddress, _remoting.Incarnation, ++_attempts, _settings.HandshakeTimeout, Clock).ConfigureAwait(false);
            if (IsRefused(incarnation))
            {
                fresh.Close(Goodbye.Types.Reason.Quarantined);
                throw new InvalidAssociationException($"{Remote} is quarantined");
            }

            lock (_metGate)
                Met(incarnation);
            lock (_gate)
            {
                if (_closed || _incarnations.Current != incarnation || _incarnations.IsRefused(incarnation))
                    throw new InvalidAssociationException($"{Remote} has changed meanwhile, or this system shuts down");
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

    private async Task<AssociationHandle> AssociateAsync()
    {
        Task<AssociationHandle> opening = _remoting.AssociateAsync(Remote);
        try
        {
            return await opening.WaitAsync(_settings.HandshakeTimeout, Clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It may still come; nobody would ever close it.
            _ = opening.ContinueWith(
                static late =>
                {
                    if (late.IsCompletedSuccessfully)
                        late.Result.Disassociate();
                    else
                        _ = late.Exception;
                },
                CancellationToken.None,
                TaskContinuationOptions.None,
                TaskScheduler.Default);
            throw;
        }
    }

    private void CloseGate(Exception cause)
    {
        bool tooLate;
        Outgoing[] dropped;
        lock (_gate)
        {
            _gatedUntil = Clock.GetTimestamp() + (long)(_gateFor.TotalSeconds * Clock.TimestampFrequency);
            TimeSpan twice = _gateFor + _gateFor;
            _gateFor = twice < _settings.GateMax ? twice : _settings.GateMax;
            dropped = [.. _control, .. _ordinary];
            _control.Clear();
            _ordinary.Clear();
            tooLate = IsUndeliverable;
        }

        if (tooLate)
            GiveUp(NotAcknowledged);
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
            tooLate = IsUndeliverable;
            if (!tooLate && _system.Count == 0)
            {
                foreach ((long sequence, Outgoing item) in _unacknowledged.Unacknowledged.Take(_settings.ResendLimit))
                    _system.Enqueue((sequence, item));
            }

            if (!tooLate && _system.Count == 0)
                return;
        }

        if (tooLate)
        {
            GiveUp(NotAcknowledged);
            return;
        }

        Wake();
        ScheduleResend();
    }
}
