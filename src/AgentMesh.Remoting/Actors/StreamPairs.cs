using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace AgentMesh.Remoting;

/// <summary>Brings the two streams of an association together: they carry the same random number and come in any order.</summary>
internal sealed class StreamPairs
{
    /// <summary>Halves that wait for their other; further ones are refused.</summary>
    private const int WaitingMax = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<(DeviceId Device, Guid Number), Half> _waiting = [];

    /// <returns>The other half for the one that comes second, with what completes the first one's wait; null for the first.</returns>
    public (IMeshStream Control, IMeshStream Ordinary, TaskCompletionSource<MeshAssociation> First)? Join(DeviceId device, Guid number, IMeshStream stream, bool isControl, out Task<MeshAssociation>? wait)
    {
        wait = null;
        lock (_gate)
        {
            if (_waiting.Remove((device, number), out Half? other) && other.IsControl != isControl)
            {
                return isControl ? (stream, other.Stream, other.Joined) : (other.Stream, stream, other.Joined);
            }

            if (_waiting.Count >= WaitingMax)
            {
                return null;
            }

            var half = new Half(stream, isControl);
            _waiting[(device, number)] = half;
            wait = half.Joined.Task;
            return null;
        }
    }

    public void Forget(DeviceId device, Guid number)
    {
        lock (_gate)
        {
            _waiting.Remove((device, number));
        }
    }

    private sealed class Half(IMeshStream stream, bool isControl)
    {
        public IMeshStream Stream => stream;

        public bool IsControl => isControl;

        public TaskCompletionSource<MeshAssociation> Joined { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
