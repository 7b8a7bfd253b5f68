namespace Akka.Actor.Internal;

/// <summary>The cell that runs on this thread; null outside of actors.</summary>
public static class InternalCurrentActorCellKeeper
{
    [ThreadStatic]
    private static ActorCell? t_current;

    public static ActorCell Current
    {
        get => t_current!;
        set => t_current = value;
    }
}

/// <summary>Is told when its constructor has run.</summary>
public interface IInitializableActor
{
    void Init();
}
