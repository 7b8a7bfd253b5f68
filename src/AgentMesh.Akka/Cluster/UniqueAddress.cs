using Akka.Actor;
using Akka.Util.Internal;

namespace Akka.Cluster;

/// <summary>An address and which start of the actor system there is meant.</summary>
public class UniqueAddress : IComparable<UniqueAddress>, IEquatable<UniqueAddress>, IComparable
{
    public UniqueAddress(Address address, int uid)
    {
        Address = address;
        Uid = uid;
    }

    public Address Address { get; }

    public int Uid { get; }

    public static bool operator ==(UniqueAddress? left, UniqueAddress? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(UniqueAddress? left, UniqueAddress? right) => !(left == right);

    public bool Equals(UniqueAddress? other) => other is not null && Uid == other.Uid && Address == other.Address;

    public override bool Equals(object? obj) => Equals(obj as UniqueAddress);

    public override int GetHashCode() => StableHash.Of(Address.GetHashCode(), Uid);

    public int CompareTo(UniqueAddress? uniqueAddress)
    {
        if (uniqueAddress is null)
            return 1;
        int byAddress = Member.AddressOrdering.Compare(Address, uniqueAddress.Address);
        return byAddress != 0 ? byAddress : Uid.CompareTo(uniqueAddress.Uid);
    }

    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"UniqueAddress: ({Address}, {Uid})");

    int IComparable.CompareTo(object? obj) => CompareTo(obj as UniqueAddress);
}
