using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster.Membership;

/// <summary>What the members of a cluster send each other.</summary>
internal interface IClusterMessage : IDeadLetterSuppression;

/// <summary>Is there a cluster at your place that I can join?</summary>
internal sealed record InitJoin : IClusterMessage;

internal sealed record InitJoinAck(Address From) : IClusterMessage;

internal sealed record InitJoinNack(Address From) : IClusterMessage;

/// <summary>Repeated until <see cref="Welcome"/> comes.</summary>
internal sealed record JoinRequest(UniqueAddress Node, ImmutableHashSet<string> Roles) : IClusterMessage;

internal sealed record Welcome(UniqueAddress From, Gossip Gossip) : IClusterMessage;

internal sealed record GossipEnvelope(UniqueAddress From, UniqueAddress To, Gossip Gossip) : IClusterMessage;

/// <summary>Asks whether there is news; whoever has another version answers with it.</summary>
/// <param name="VersionDigest"><see cref="VectorClock.Digest"/>.</param>
internal sealed record GossipStatus(UniqueAddress From, ulong VersionDigest) : IClusterMessage;

/// <summary>An exiting member has handed over everything and may be removed.</summary>
internal sealed record ExitingConfirmed(UniqueAddress Node) : IClusterMessage;

/// <param name="VersionDigest">What a <see cref="GossipStatus"/> would say; null of a sender that says it in one.</param>
/// <param name="Heard">An answer of the receiver came since the last heartbeat to it: both directions work, so the receiver has heard what it would ask for.</param>
internal sealed record Heartbeat(UniqueAddress From, ulong? VersionDigest = null, bool Heard = false) : IClusterMessage;

/// <param name="VersionDigest">Of what the sender has; null of a sender that does not say so.</param>
internal sealed record HeartbeatResponse(UniqueAddress From, ulong? VersionDigest = null) : IClusterMessage;
