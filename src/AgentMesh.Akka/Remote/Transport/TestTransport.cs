using Akka.Actor;
using Akka.Configuration;
using Google.Protobuf;

namespace Akka.Remote.Transport;

/// <summary>A transport inside one process, for tests: every step can be logged, delayed or made to fail.</summary>
public class TestTransport : Transport
{
    public readonly Address LocalAddress;
    public readonly SwitchableLoggedBehavior<bool, (Address, TaskCompletionSource<IAssociationEventListener>)> ListenBehavior;
    public readonly SwitchableLoggedBehavior<Address, AssociationHandle> AssociateBehavior;
    public readonly SwitchableLoggedBehavior<bool, bool> ShutdownBehavior;
    public readonly SwitchableLoggedBehavior<TestAssociationHandle, bool> DisassociateBehavior;
    public readonly SwitchableLoggedBehavior<(TestAssociationHandle, ByteString), bool> WriteBehavior;

    private readonly AssociationRegistry _registry;
    private readonly TaskCompletionSource<IAssociationEventListener> _listener = new();

    /// <param name="conf">Reads <c>local-address, registry-key, maximum-payload-bytes, scheme-identifier</c>.</param>
    public TestTransport(ActorSystem system, Config conf)
        : this(
            Address.Parse(conf.GetString("local-address") ?? throw new ConfigurationException("the test transport needs local-address")),
            AssociationRegistry.Get(conf.GetString("registry-key") ?? throw new ConfigurationException("the test transport needs registry-key")),
            conf.GetByteSize("maximum-payload-bytes", null) ?? 32000,
            conf.GetString("scheme-identifier", "test")!)
    {
        System = system;
        Config = conf;
    }

    public TestTransport(Address localAddress, AssociationRegistry registry, long maximumPayloadBytes = 32000, string schemeIdentifier = "test")
    {
        LocalAddress = localAddress;
        _registry = registry;
        MaximumPayloadBytes = maximumPayloadBytes;
        SchemeIdentifier = schemeIdentifier;
        ListenBehavior = new(_ => DefaultListen(), _ => registry.LogActivity(new ListenAttempt(localAddress)));
        AssociateBehavior = new(DefaultAssociate, remote => registry.LogActivity(new AssociateAttempt(localAddress, remote)));
        ShutdownBehavior = new(_ => Task.FromResult(true), _ => registry.LogActivity(new ShutdownAttempt(localAddress)));
        DisassociateBehavior = new(DefaultDisassociate, handle => registry.LogActivity(new DisassociateAttempt(handle.LocalAddress, handle.RemoteAddress)));
        WriteBehavior = new(
            write => Task.FromResult(DefaultWrite(write.Item1, write.Item2)),
            write => registry.LogActivity(new WriteAttempt(write.Item1.LocalAddress, write.Item1.RemoteAddress, write.Item2)));
    }

    public override bool IsResponsibleFor(Address remote) => true;

    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen() => ListenBehavior.Apply(true);

    public override Task<AssociationHandle> Associate(Address remoteAddress) => AssociateBehavior.Apply(remoteAddress);

    public override Task<bool> Shutdown() => ShutdownBehavior.Apply(true);

    public Task<(Address, TaskCompletionSource<IAssociationEventListener>)> DefaultListen()
    {
        _registry.RegisterTransport(this, _listener.Task);
        return Task.FromResult((LocalAddress, _listener));
    }

    public Task<bool> Write(TestAssociationHandle handle, ByteString payload) => WriteBehavior.Apply((handle, payload));

    public Task Disassociate(TestAssociationHandle handle) => DisassociateBehavior.Apply(handle);

    public Task<bool> DefaultDisassociate(TestAssociationHandle handle)
    {
        IHandleEventListener? listener = _registry.Deregister(handle);

        // One that was never used to the full is not registered; the other side waits all the same.
        if (listener is null && !handle.ReadHandlerSource.Task.IsCompleted && handle.Other is { ReadHandlerSource.Task: { IsCompletedSuccessfully: true } read })
            listener = read.Result;
        listener?.Notify(new Disassociated(DisassociateInfo.Unknown));
        return Task.FromResult(true);
    }

    private async Task<AssociationHandle> DefaultAssociate(Address remoteAddress)
    {
        Util.Option<(TestTransport, Task<IAssociationEventListener>)> remote = _registry.TransportFor(remoteAddress);
        if (!remote.HasValue)
            throw new InvalidAssociationException($"No transport is registered for {remoteAddress}");
        (TestTransport remoteTransport, Task<IAssociationEventListener> remoteListener) = remote.Value;
        TestAssociationHandle local = new(LocalAddress, remoteAddress, this, inbound: false);
        TestAssociationHandle other = new(remoteAddress, LocalAddress, remoteTransport, inbound: true) { Other = local };
        local.Other = other;
        _ = Task.WhenAll(local.ReadHandlerSource.Task, other.ReadHandlerSource.Task).ContinueWith(
            both => _registry.RegisterListenerPair(local.Key, (both.Result[0], both.Result[1])),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously | TaskContinuationOptions.OnlyOnRanToCompletion,
            TaskScheduler.Default);
        IAssociationEventListener listener = await remoteListener.ConfigureAwait(false);
        listener.Notify(new InboundAssociation(other));
        await other.ReadHandlerSource.Task.ConfigureAwait(false);
        return local;
    }

    private bool DefaultWrite(TestAssociationHandle handle, ByteString payload)
    {
        IHandleEventListener? listener = _registry.GetRemoteReadHandlerFor(handle);
        if (listener is null)
        {
            // The other end is gone, perhaps with its whole system.
            if (handle.ReadHandlerSource.Task is { IsCompletedSuccessfully: true } own)
                own.Result.Notify(new Disassociated(DisassociateInfo.Unknown));
            return false;
        }

        listener.Notify(new InboundPayload(payload));
        return true;
    }
}

public sealed class TestAssociationHandle : AssociationHandle
{
    public readonly bool Inbound;

    private readonly TestTransport _transport;

    public TestAssociationHandle(Address localAddress, Address remoteAddress, TestTransport transport, bool inbound)
        : base(localAddress, remoteAddress)
    {
        _transport = transport;
        Inbound = inbound;
    }

    /// <summary>The other end.</summary>
    internal TestAssociationHandle? Other { get; set; }

    /// <summary>Initiator first, the same at both ends.</summary>
    public (Address, Address) Key => Inbound ? (RemoteAddress, LocalAddress) : (LocalAddress, RemoteAddress);

    public override bool Write(ByteString payload) => _transport.Write(this, payload).GetAwaiter().GetResult();

    public override void Disassociate() => _ = _transport.Disassociate(this);
}
