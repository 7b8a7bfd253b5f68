using System.Net;
using AgentMesh.Transport.Gateways;

namespace AgentMesh.Transport.Tests.Gateways;

/// <summary>A gateway that does as the test says.</summary>
internal sealed class FakeProtocol(string name) : IGatewayProtocol
{
    public static readonly IPAddress Gateway = IPAddress.Parse("192.168.9.1");

    public string Name => name;

    /// <summary>When it answers whether it speaks the protocol; null until then.</summary>
    public TaskCompletionSource<GatewayFailure?> Probed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Func<GatewayMapping?, MapResult>? Map { get; set; }

    public MappingState State { get; set; } = MappingState.Alive;

    public int Maps { get; private set; }

    public int Checks { get; private set; }

    public bool IsDeleted { get; private set; }

    public bool IsDisposed { get; private set; }

    public bool WasProbeCancelled { get; private set; }

    public GatewayMapping Mapping(string external, TimeSpan lifetime) => new(name, Gateway, IPEndPoint.Parse(external), 14590, lifetime, TimeSpan.Zero);

    public async ValueTask<GatewayFailure?> ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Probed.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            WasProbeCancelled = true;
            throw;
        }
    }

    public ValueTask<MapResult> MapAsync(GatewayMapping? previous, CancellationToken cancellationToken)
    {
        Maps++;
        return ValueTask.FromResult(Map!(previous));
    }

    public ValueTask<MappingState> CheckAsync(GatewayMapping mapping, CancellationToken cancellationToken)
    {
        Checks++;
        return ValueTask.FromResult(State);
    }

    public ValueTask DeleteAsync(GatewayMapping mapping, CancellationToken cancellationToken)
    {
        IsDeleted = true;
        return ValueTask.CompletedTask;
    }

    public void Dispose() => IsDisposed = true;
}
