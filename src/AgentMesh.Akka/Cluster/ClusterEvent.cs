using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster;

/// <summary>What subscribers are told of the cluster.</summary>
public class ClusterEvent
{
    public enum SubscriptionInitialStateMode
    {
        /// <summary>One <see cref="CurrentClusterState"/> first.</summary>
        InitialStateAsSnapshot = 0,

        /// <summary>Events first that lead to the present state.</summary>
        InitialStateAsEvents = 1,
    }

    public interface IClusterDomainEvent : IDeadLetterSuppression
    {
    }

    public interface IMemberEvent : IClusterDomainEvent
    {
        Member Member { get; }
    }

    public interface IReachabilityEvent : IClusterDomainEvent
    {
    }

    public sealed class CurrentClusterState : INoSerializationVerificationNeeded
    {
        private readonly ImmutableDictionary<string, Address> _roleLeaders;

        public CurrentClusterState()
            : this(ImmutableSortedSet<Member>.Empty, ImmutableHashSet<Member>.Empty, ImmutableHashSet<Address>.Empty, null!, ImmutableDictionary<string, Address>.Empty)
        {
        }

        public CurrentClusterState(ImmutableSortedSet<Member> members, ImmutableHashSet<Member> unreachable, ImmutableHashSet<Address> seenBy, Address leader, ImmutableDictionary<string, Address> roleLeaderMap)
        {
            Members = members;
            Unreachable = unreachable;
            SeenBy = seenBy;
            Leader = leader;
            _roleLeaders = roleLeaderMap;
        }

        public ImmutableSortedSet<Member> Members { get; }

        public ImmutableHashSet<Member> Unreachable { get; }

        public ImmutableHashSet<Address> SeenBy { get; }

        /// <summary>Null while there is none.</summary>
        public Address Leader { get; }

        public ImmutableHashSet<string> AllRoles => [.. Members.SelectMany(member => member.Roles)];

        public Address RoleLeader(string role) => _roleLeaders.GetValueOrDefault(role)!;

        public CurrentClusterState Copy(ImmutableSortedSet<Member> members = null!, ImmutableHashSet<Member> unreachable = null!, ImmutableHashSet<Address> seenBy = null!, Address leader = null!, ImmutableDictionary<string, Address> roleLeaderMap = null!) =>
            new(members ?? Members, unreachable ?? Unreachable, seenBy ?? SeenBy, leader ?? Leader, roleLeaderMap ?? _roleLeaders);

        internal IEnumerable<KeyValuePair<string, Address>> RoleLeaders => _roleLeaders;
    }

    public abstract class MemberStatusChange : IMemberEvent
    {
        protected readonly Member _member;

        /// <exception cref="ArgumentException">The member does not have the status that the event tells.</exception>
        protected MemberStatusChange(Member member, MemberStatus validStatus)
        {
            if (member.Status != validStatus)
                throw new ArgumentException($"{GetType().Name} needs a member that is {validStatus}, not {member}", nameof(member));
            _member = member;
        }

        public Member Member => _member;

        public override bool Equals(object? obj) => obj is MemberStatusChange other && obj.GetType() == GetType() && _member.Equals(other._member);

        public override int GetHashCode() => HashCode.Combine(GetType(), _member);

        public override string ToString() => $"{GetType().Name}({_member})";
    }

    public sealed class MemberJoined : MemberStatusChange
    {
        public MemberJoined(Member member)
            : base(member, MemberStatus.Joining)
        {
        }
    }

    public sealed class MemberWeaklyUp : MemberStatusChange
    {
        public MemberWeaklyUp(Member member)
            : base(member, MemberStatus.WeaklyUp)
        {
        }
    }

    public sealed class MemberUp : MemberStatusChange
    {
        public MemberUp(Member member)
            : base(member, MemberStatus.Up)
        {
        }
    }

    public sealed class MemberLeft : MemberStatusChange
    {
        public MemberLeft(Member member)
            : base(member, MemberStatus.Leaving)
        {
        }
    }

    public sealed class MemberExited : MemberStatusChange
    {
        public MemberExited(Member member)
            : base(member, MemberStatus.Exiting)
        {
        }
    }

    public sealed class MemberDowned : MemberStatusChange
    {
        public MemberDowned(Member member)
            : base(member, MemberStatus.Down)
        {
        }
    }

    public sealed class MemberRemoved : MemberStatusChange
    {
        public MemberRemoved(Member member, MemberStatus previousStatus)
            : base(member, MemberStatus.Removed) => PreviousStatus = previousStatus;

        public MemberStatus PreviousStatus { get; }

        public override bool Equals(object? obj) => base.Equals(obj) && obj is MemberRemoved other && PreviousStatus == other.PreviousStatus;

        public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), PreviousStatus);
    }

    public abstract class ReachabilityEvent : IReachabilityEvent
    {
        protected ReachabilityEvent(Member member) => Member = member;

        public Member Member { get; }

        public override bool Equals(object? obj) => obj is ReachabilityEvent other && obj.GetType() == GetType() && Member.Equals(other.Member);

        public override int GetHashCode() => HashCode.Combine(GetType(), Member);

        public override string ToString() => $"{GetType().Name}({Member})";
    }

    public sealed class UnreachableMember : ReachabilityEvent
    {
        public UnreachableMember(Member member)
            : base(member)
        {
        }
    }

    public sealed class ReachableMember : ReachabilityEvent
    {
        public ReachableMember(Member member)
            : base(member)
        {
        }
    }

    public sealed class LeaderChanged : IClusterDomainEvent
    {
        public LeaderChanged(Address leader) => Leader = leader;

        /// <summary>Null when there is none any more.</summary>
        public Address Leader { get; }

        public override bool Equals(object? obj) => obj is LeaderChanged other && Equals(Leader, other.Leader);

        public override int GetHashCode() => Leader?.GetHashCode() ?? 0;

        public override string ToString() => $"LeaderChanged(NewLeader={Leader})";
    }

    public sealed class RoleLeaderChanged : IClusterDomainEvent
    {
        public RoleLeaderChanged(string role, Address leader)
        {
            Role = role;
            Leader = leader;
        }

        public string Role { get; }

        public Address Leader { get; }

        public override bool Equals(object? obj) => obj is RoleLeaderChanged other && Role == other.Role && Equals(Leader, other.Leader);

        public override int GetHashCode() => HashCode.Combine(Role, Leader);

        public override string ToString() => $"RoleLeaderChanged(Leader={Leader}, Role={Role})";
    }

    public sealed class ClusterShuttingDown : IClusterDomainEvent
    {
        public static readonly IClusterDomainEvent Instance = new ClusterShuttingDown();

        private ClusterShuttingDown()
        {
        }
    }
}
