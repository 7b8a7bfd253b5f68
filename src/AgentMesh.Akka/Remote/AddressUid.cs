using Akka.Actor;
using Akka.Actor.Internal;

namespace Akka.Remote;

/// <summary>Tells this start of the actor system from earlier and later ones at the same address.</summary>
public class AddressUid : IExtension
{
    public readonly int Uid;

    public AddressUid()
        : this(Util.ThreadLocalRandom.Current.NextInt64(1, long.MaxValue))
    {
    }

    internal AddressUid(long incarnation)
    {
        Incarnation = incarnation;
        Uid = ShortOf(incarnation);
    }

    /// <summary>The whole number, as it is on the wire. Never 0.</summary>
    internal long Incarnation { get; }

    /// <summary>The part that fits the older 32-bit interfaces.</summary>
    internal static int ShortOf(long incarnation) => (int)(incarnation & int.MaxValue);
}

public class AddressUidExtension : ExtensionIdProvider<AddressUid>
{
    public static int Uid(ActorSystem system) => Of(system).Uid;

    public override AddressUid CreateExtension(ExtendedActorSystem system) => new(((ActorSystemImpl)system).Settings.Random.NextInt64(1, long.MaxValue));

    internal static AddressUid Of(ActorSystem system) => (AddressUid)system.RegisterExtension(new AddressUidExtension());
}
