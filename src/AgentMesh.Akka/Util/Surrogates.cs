using Akka.Actor;

namespace Akka.Util;

/// <summary>Has a stand-in that can be serialized in its place.</summary>
public interface ISurrogated
{
    ISurrogate ToSurrogate(ActorSystem system);
}

/// <summary>The stand-in of an <see cref="ISurrogated"/>.</summary>
public interface ISurrogate
{
    ISurrogated FromSurrogate(ActorSystem system);
}
