using System.Collections.Immutable;
using Akka.Actor;
using Akka.Util;

namespace Akka.Cluster;

/// <summary>An actor system of the cluster. Two are equal when address and incarnation are; their order is that of their addresses.</summary>
public class Member : IComparable<Member>, IComparable
{
    public static readonly IComparer<Address> AddressOrdering = Comparer<Address>.Create(CompareAddresses);

    /// <summary>The oldest first.</summary>
    public static readonly IComparer<Member> AgeOrdering = Comparer<Member>.Create(CompareAges);

    internal const int NotUpYet = int.MaxValue;

    internal Member(UniqueAddress uniqueAddress, int upNumber, MemberStatus status, ImmutableHashSet<string> roles)
    {
        UniqueAddress = uniqueAddress;
        UpNumber = upNumber;
        Status = status;
        Roles = roles;
    }

    public UniqueAddress UniqueAddress { get; }

    public Address Address => UniqueAddress.Address;

    public MemberStatus Status { get; }

    public ImmutableHashSet<string> Roles { get; }

    public AppVersion AppVersion => AppVersion.Zero;

    /// <summary>The order in which members came up; <see cref="NotUpYet"/> before.</summary>
    internal int UpNumber { get; }

    public bool HasRole(string role) => Roles.Contains(role);

    public bool IsOlderThan(Member other) => AgeOrdering.Compare(this, other) < 0;

    public Member Copy(MemberStatus status) => status == Status ? this : new Member(UniqueAddress, UpNumber, status, Roles);

    public Member CopyUp(int upNumber) => new(UniqueAddress, upNumber, MemberStatus.Up, Roles);

    public int CompareTo(Member? other) => other is null ? 1 : UniqueAddress.CompareTo(other.UniqueAddress);

    public override bool Equals(object? obj) => obj is Member other && UniqueAddress == other.UniqueAddress;

    public override int GetHashCode() => UniqueAddress.GetHashCode();

    public override string ToString() => $"Member(address = {Address}, Uid={UniqueAddress.Uid}, status = {Status}, role=[{string.Join(",", Roles)}], upNumber={UpNumber})";

    int IComparable.CompareTo(object? obj) => CompareTo(obj as Member);

    /// <summary>Of two views of one member, the one further on in its life.</summary>
    internal static Member Further(Member a, Member b)
    {
        int order = Rank(a.Status).CompareTo(Rank(b.Status));
        return order > 0 || (order == 0 && a.UpNumber <= b.UpNumber) ? a : b;
    }

    private static int Rank(MemberStatus status) => status switch
    {
        MemberStatus.Joining => 0,
        MemberStatus.WeaklyUp => 1,
        MemberStatus.Up => 2,
        MemberStatus.Leaving => 3,
        MemberStatus.Exiting => 4,
        MemberStatus.Down => 5,
        _ => 6,
    };

    private static int CompareAddresses(Address? a, Address? b)
    {
        if (ReferenceEquals(a, b))
            return 0;
        if (a is null || b is null)
            return a is null ? -1 : 1;
        int byHost = string.CompareOrdinal(a.Host, b.Host);
        return byHost != 0 ? byHost : Nullable.Compare(a.Port, b.Port);
    }

    private static int CompareAges(Member? a, Member? b)
    {
        if (a is null || b is null)
            return a is null ? (b is null ? 0 : -1) : 1;
        int byAge = a.UpNumber.CompareTo(b.UpNumber);
        return byAge != 0 ? byAge : a.CompareTo(b);
    }
}
