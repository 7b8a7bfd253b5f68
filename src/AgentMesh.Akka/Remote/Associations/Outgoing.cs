using Akka.Actor;

namespace Akka.Remote.Associations;

/// <summary>A message on its way out.</summary>
internal readonly record struct Outgoing(object Message, IActorRef? Sender, RemoteActorRef Recipient);
