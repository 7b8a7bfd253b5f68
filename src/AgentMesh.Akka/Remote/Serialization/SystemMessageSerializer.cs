using System.Runtime.Serialization;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Serialization;
using Google.Protobuf;

namespace Akka.Remote.Serialization;

/// <summary>The system messages that may leave a process: watching, its end, and termination.</summary>
internal sealed class SystemMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 22;

    public override string Manifest(object o) => o switch
    {
        Watch => "W",
        Unwatch => "U",
        DeathWatchNotification => "D",
        Terminate => "T",
        _ => throw new SerializationException($"{o.GetType().Name} cannot be sent to another system"),
    };

    public override byte[] ToBinary(object obj) => obj switch
    {
        Watch watch => new WatchMessage { Watchee = Path(watch.Watchee), Watcher = Path(watch.Watcher) }.ToByteArray(),
        Unwatch unwatch => new WatchMessage { Watchee = Path(unwatch.Watchee), Watcher = Path(unwatch.Watcher) }.ToByteArray(),
        DeathWatchNotification d => new DeathNotification { Actor = Path(d.Actor), ExistenceConfirmed = d.ExistenceConfirmed, AddressTerminated = d.AddressTerminated }.ToByteArray(),
        Terminate => [],
        _ => throw new SerializationException($"{obj.GetType().Name} cannot be sent to another system"),
    };

    public override object FromBinary(byte[] bytes, string manifest)
    {
        switch (manifest)
        {
            case "W":
                WatchMessage watch = WatchMessage.Parser.ParseFrom(bytes);
                return new Watch(Resolve(watch.Watchee), Resolve(watch.Watcher));
            case "U":
                WatchMessage unwatch = WatchMessage.Parser.ParseFrom(bytes);
                return new Unwatch(Resolve(unwatch.Watchee), Resolve(unwatch.Watcher));
            case "D":
                DeathNotification death = DeathNotification.Parser.ParseFrom(bytes);
                return new DeathWatchNotification(Resolve(death.Actor), death.ExistenceConfirmed, death.AddressTerminated);
            case "T":
                return new Terminate();
            default:
                throw new SerializationException($"Unknown manifest '{manifest}' of a system message");
        }
    }

    private static string Path(IActorRef actor) => Akka.Serialization.Serialization.SerializedActorPath(actor);

    private IInternalActorRef Resolve(string path) => (IInternalActorRef)system.Provider.ResolveActorRef(path);
}
