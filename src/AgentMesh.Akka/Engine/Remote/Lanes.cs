using Google.Protobuf;

namespace AgentMesh.Engine.Remote;

/// <summary>
/// Implemented by an association handle that has a second, prioritised lane. Order is kept within a lane, not between the two.
/// Both ends deliver the payloads of both lanes to the same listener.
/// </summary>
public interface IControlLane
{
    /// <summary>As <c>AssociationHandle.Write</c>, but never behind ordinary payloads.</summary>
    bool WriteControl(ByteString payload);
}

/// <summary>Implemented by an association handle that can say when a refused write is worth repeating; others are asked again after a moment.</summary>
public interface IWriteReadiness
{
    /// <summary>Calls back once, from any thread, when there is room again or the association is gone; at once when there is room now.</summary>
    void NotifyWhenWritable(Action callback);
}
