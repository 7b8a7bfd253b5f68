using System.Net;
using AgentMesh.Errors;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Transport;

/// <summary>Runs the handshakes of an endpoint, in both directions, under one lock and one timer.</summary>
internal sealed class Dialer
{
    private readonly Lock _gate = new();
    private readonly HandshakeEndpoint _handshakes;
    private readonly MeshEndpoint _endpoint;
    private readonly ITimer _timer;
    private readonly Dictionary<DevicePublicKey, Dial> _dials = [];
    private readonly byte[] _buffer = new byte[HandshakeEndpoint.MaxDatagramBytes];
    private TimeSpan? _wakeUp;
    private bool _stopped;

    public Dialer(HandshakeEndpoint handshakes, MeshEndpoint endpoint, TimeProvider time)
    {
        _handshakes = handshakes;
        _endpoint = endpoint;
        _timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Joins an attempt that is under way already. Without anybody waiting, the attempt is given up.</summary>
    public async Task<MeshConnection> DialAsync(DevicePublicKey key, IReadOnlyList<IPEndPoint> addresses, InvitationSecret secret, string target, TimeSpan? repeatMax, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Dial dial;
        lock (_gate)
        {
            if (_stopped)
            {
                throw Stopped();
            }

            if (!_dials.TryGetValue(key, out dial!))
            {
                // The dial to join may have ended well since the caller looked; another would replace its connection.
                if (secret.IsNone && _endpoint.FindLive(key) is { } live)
                {
                    return live;
                }

                dial = new Dial(target);
                _dials.Add(key, dial);
            }

            dial.Waiters++;
            if (!_handshakes.TryConnect(key, addresses, secret, _endpoint.Now, repeatMax))
            {
                _dials.Remove(key);
                throw new MeshException(TransportErrors.TooManyDials, "too many connections are being opened at once", "try again in a moment");
            }

            Pump();
        }

        try
        {
            return await dial.Result.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
            {
                if (--dial.Waiters == 0 && _dials.TryGetValue(key, out Dial? present) && ReferenceEquals(present, dial))
                {
                    _dials.Remove(key);
                    _handshakes.Cancel(key);
                }
            }

            throw;
        }
    }

    /// <summary>Packets of forgotten sessions that were answered.</summary>
    public long Resets
    {
        get
        {
            lock (_gate)
            {
                return _handshakes.Resets;
            }
        }
    }

    public HandshakeOutcome HandleDatagram(ReadOnlySpan<byte> datagram, IPEndPoint from)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return HandshakeOutcome.Refused;
            }

            HandshakeOutcome outcome = _handshakes.HandleDatagram(datagram, from, _endpoint.Now);
            Pump();
            return outcome;
        }
    }

    public bool TryConfirm(ReadOnlySpan<byte> datagram, IPEndPoint from)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return false;
            }

            bool isConfirmed = _handshakes.TryConfirm(datagram, from, _endpoint.Now);
            Pump();
            return isConfirmed;
        }
    }

    public void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            _timer.Dispose();
            foreach (Dial dial in _dials.Values)
            {
                dial.Result.TrySetException(Stopped());
            }

            _dials.Clear();
            _handshakes.Dispose();
        }
    }

    private static MeshException Stopped() => new(TransportErrors.EndpointStopped, "this device's endpoint has stopped", "start the node again with 'agentmesh up'");

    private void OnTimer()
    {
        lock (_gate)
        {
            if (!_stopped)
            {
                _wakeUp = null;
                _handshakes.HandleTimeout(_endpoint.Now);
                Pump();
            }
        }
    }

    /// <summary>Sends, tells and sets the timer, as the state machine asks after every call.</summary>
    private void Pump()
    {
        while (_handshakes.TryTransmit(_buffer, out HandshakeTransmit transmit))
        {
            _endpoint.Send(_buffer.AsSpan(0, transmit.Length), transmit.To);
        }

        while (_handshakes.TryReadEvent(out HandshakeEvent? happened))
        {
            if (happened is SessionEstablished { Session: var session })
            {
                MeshConnection connection = _endpoint.Established(session);
                if (_dials.Remove(session.RemoteKey, out Dial? dial))
                {
                    dial.Result.TrySetResult(connection);
                }
            }
            else if (happened is AttemptFailed failed && _dials.Remove(failed.RemoteKey, out Dial? dial))
            {
                dial.Result.TrySetException(failed.ToException(dial.Target));
            }
        }

        // Most datagrams of a flood change nothing: the timer stays as it is.
        TimeSpan? next = _handshakes.NextWakeUp;
        if (next == _wakeUp)
        {
            return;
        }

        _wakeUp = next;
        TimeSpan wait = next is { } at ? at - _endpoint.Now.Monotonic : Timeout.InfiniteTimeSpan;
        _timer.Change(wait == Timeout.InfiniteTimeSpan || wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private sealed class Dial(string target)
    {
        public string Target => target;

        public int Waiters { get; set; }

        public TaskCompletionSource<MeshConnection> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
