using System.Net;

namespace AgentMesh.Node.Reach;

/// <summary>Where the beacons of this device see it.</summary>
internal sealed class BeaconObservations(Func<IEnumerable<IPEndPoint?>> observed) : ICandidateSource
{
    public event Action? Changed;

    public CandidateKind Kind => CandidateKind.Observed;

    public IReadOnlyList<IPEndPoint> Current => [.. observed().OfType<IPEndPoint>().Distinct()];

    public void Update() => Changed?.Invoke();
}
