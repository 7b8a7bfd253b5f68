namespace Akka.Util;

/// <summary>Randomness for jitter and names where no source was given; not for secrets.</summary>
public static class ThreadLocalRandom
{
#pragma warning disable RS0030 // the one default source; a simulated system passes its own through EngineSetup
    public static Random Current => Random.Shared;
#pragma warning restore RS0030
}
