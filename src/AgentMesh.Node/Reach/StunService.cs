using System.Net;
using AgentMesh.Node.Control;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Transport;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Stun;

namespace AgentMesh.Node.Reach;

/// <summary>Where STUN servers see this device, as candidates.</summary>
internal sealed class StunService : ICandidateSource, IAsyncDisposable
{
    private readonly StunObserver _observer;

    public StunService(MeshEndpoint endpoint, StunSettings settings, NameLookup names, TimeProvider time)
    {
        _observer = new StunObserver(endpoint, settings.Servers, settings.Interval, names, SystemEntropy.Instance, time);
        _observer.Changed += () => Changed?.Invoke();
    }

    public event Action? Changed;

    public CandidateKind Kind => CandidateKind.Observed;

    public IReadOnlyList<IPEndPoint> Current => _observer.Addresses;

    public void Start() => _observer.Start();

    public IReadOnlyList<StunView> View() =>
    [
        .. _observer.Observations.Select(each => new StunView(
            each.Server.ToString(),
            each.SeenAt?.ToString(),
            each.Problem is { } problem
                ? new ProblemView(ReachErrors.StunSilent, $"the STUN server {each.Server} tells nothing: {problem}", "see that its name and port are right and that UDP to it is let through, or take it out of agentmesh.stun.servers")
                : null)),
    ];

    public ValueTask DisposeAsync() => _observer.DisposeAsync();
}
