using AgentMesh.Workers.Shims;
using AgentMesh.Workers.Tests.Attempts;

namespace AgentMesh.Workers.Tests.Shims;

/// <summary>Programs in shims do all that programs do.</summary>
public sealed class ExecutionTableWithShimsTests : ExecutionTableTests
{
    protected override ShimSettings? Shims => new(ShimLab.Command, TimeSpan.FromMinutes(5), KeepOnStop: false);
}
