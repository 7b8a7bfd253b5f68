using System.Collections.Concurrent;
using System.Security.Cryptography;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using Akka.Actor;
using Akka.Configuration;
using Akka.Remote.Transport;

namespace AgentMesh.Remoting;

/// <summary>
/// Carries actor messages over mesh connections: the transport of <c>akka.mesh://SYSTEM@DEVICE:1/</c>. Who is at the other end is proven by the
/// connection, so an actor system cannot speak for another device.
/// </summary>
public sealed class MeshTransport : Akka.Remote.Transport.Transport
{
    public const string ControlService = "akka-control";
    public const string OrdinaryService = "akka";

    /// <summary>The host of an address is a device, not a machine; the port has no meaning.</summary>
    public const int Port = 1;

    private const int NumberBytes = 16;

    private static readonly TimeSpan JoinWithin = TimeSpan.FromSeconds(5);

    private readonly ConnectionHub _hub;
    private readonly TimeProvider _time;
    private readonly StreamPairs _pairs = new();
    private readonly ConcurrentDictionary<long, MeshAssociation> _open = new();
    private readonly TaskCompletionSource<IAssociationEventListener> _listener = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IDisposable> _services = [];
    private Address _local = null!;
    private long _number;

    /// <exception cref="ConfigurationException">The actor system was made without a <see cref="MeshTransportSetup"/>.</exception>
    public MeshTransport(ActorSystem system, Config config)
    {
        System = system;
        Config = config;
        SchemeIdentifier = "mesh";
        MaximumPayloadBytes = config.GetByteSize("maximum-payload-bytes", 512 * 1024) ?? 512 * 1024;
        Akka.Util.Option<MeshTransportSetup> setup = system.Settings.Setup.Get<MeshTransportSetup>();
        MeshTransportSetup given = setup.HasValue ? setup.Value : throw new ConfigurationException("AgentMesh.Remoting.MeshTransport needs a MeshTransportSetup among the setups of the actor system");
        _hub = given.Hub;
        _time = given.Time;
    }

    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        _local = new Address(SchemeIdentifier, System.Name, _hub.LocalId.ToString(), Port);

        // The actor system before this one may still be ending: what comes now is for this one.
        _services.Add(_hub.Replace(ControlService, (connection, stream, stopping) => ServeAsync(connection, stream, isControl: true, stopping)));
        _services.Add(_hub.Replace(OrdinaryService, (connection, stream, stopping) => ServeAsync(connection, stream, isControl: false, stopping)));
        return Task.FromResult((_local, _listener));
    }

    public override bool IsResponsibleFor(Address remote) => remote.Protocol == SchemeIdentifier;

    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        if (!DeviceId.TryParse(remoteAddress.Host, out DeviceId device))
        {
            throw new InvalidAssociationException($"'{remoteAddress.Host}' in {remoteAddress} is no device id");
        }

        byte[] number = RandomNumberGenerator.GetBytes(NumberBytes);
        IMeshStream control = await _hub.OpenAsync(device, ControlService, StreamPriority.Control, CancellationToken.None).ConfigureAwait(false);
        IMeshStream? ordinary = null;
        try
        {
            ordinary = await _hub.OpenAsync(device, OrdinaryService, StreamPriority.Ordinary, CancellationToken.None).ConfigureAwait(false);
            await control.WriteAsync(number, CancellationToken.None).ConfigureAwait(false);
            await ordinary.WriteAsync(number, CancellationToken.None).ConfigureAwait(false);
            return Made(remoteAddress, control, ordinary);
        }
        catch
        {
            control.Abort(StreamCodes.Done);
            ordinary?.Abort(StreamCodes.Done);
            throw;
        }
    }

    public override Task<bool> Shutdown()
    {
        foreach (IDisposable service in _services)
        {
            service.Dispose();
        }

        // Oldest first, and not in whatever order: a simulated run depends on it.
        foreach ((_, MeshAssociation association) in _open.OrderBy(each => each.Key))
        {
            association.Disassociate();
        }

        return Task.FromResult(true);
    }

    private MeshAssociation Made(Address remote, IMeshStream control, IMeshStream ordinary)
    {
        var association = new MeshAssociation(_local, remote, control, ordinary, (int)MaximumPayloadBytes, _time);
        long number = Interlocked.Increment(ref _number);
        _open.TryAdd(number, association);
        _ = association.Ended.ContinueWith(_ => _open.TryRemove(number, out MeshAssociation? _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return association;
    }

    /// <summary>Serves one of the two streams of an association that another device opens; holds it until the association is over.</summary>
    private async Task ServeAsync(IMeshConnection connection, IMeshStream stream, bool isControl, CancellationToken stopping)
    {
        byte[] bytes = new byte[NumberBytes];
        if (!await stream.TryFillAsync(bytes, stopping).ConfigureAwait(false))
        {
            stream.Abort(StreamCodes.ProtocolError);
            return;
        }

        var number = new Guid(bytes);
        if (_pairs.Join(connection.RemoteId, number, stream, isControl, out Task<MeshAssociation>? wait) is { } joined)
        {
            var remote = new Address(SchemeIdentifier, System.Name, connection.RemoteId.ToString(), Port);
            MeshAssociation association = Made(remote, joined.Control, joined.Ordinary);
            joined.First.TrySetResult(association);
            (await _listener.Task.WaitAsync(stopping).ConfigureAwait(false)).Notify(new InboundAssociation(association));
            await association.Ended.WaitAsync(stopping).ConfigureAwait(false);
            return;
        }

        if (wait is null)
        {
            stream.Abort(StreamCodes.TooManyStreams);
            return;
        }

        try
        {
            MeshAssociation association = await wait.WaitAsync(JoinWithin, _time, stopping).ConfigureAwait(false);
            await association.Ended.WaitAsync(stopping).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            stream.Abort(StreamCodes.ProtocolError);
        }
        finally
        {
            _pairs.Forget(connection.RemoteId, number);
        }
    }
}
