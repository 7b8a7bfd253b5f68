using System.Net;
using AgentMesh.Journal;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Links;
using AgentMesh.Node.Pairing;
using AgentMesh.Node.Pools;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Retention;
using AgentMesh.Node.RoundTrips;
using AgentMesh.Node.Schedules;
using AgentMesh.Node.Services;
using AgentMesh.Node.Settings;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Handlers;

namespace AgentMesh.Node.Hosting;

/// <summary>The parts of a running node that outlive its actor systems, for those who show them.</summary>
internal sealed record NodeParts
{
    public required NodeSettings Settings { get; init; }

    public required DeviceIdentity Identity { get; init; }

    public required ConnectionHistory History { get; init; }

    public required KeyRotation Rotation { get; init; }

    public required DeviceRegistry Registry { get; init; }

    public required DeviceDirectory Directory { get; init; }

    public required Devices Devices { get; init; }

    public required MeshEndpoint Endpoint { get; init; }

    public required ConnectionHub Hub { get; init; }

    public required LinkService Links { get; init; }

    public required BeaconService Beacons { get; init; }

    public required NatSurvey Nat { get; init; }

    public required GenerationKeeper Generations { get; init; }

    public required HandlerRegistry Handlers { get; init; }

    public required WorkerParts Workers { get; init; }

    public ExecutionTable Table => Workers.Table;

    public required PairingService Pairing { get; init; }

    public required JobService Jobs { get; init; }

    public required JobRetention Retention { get; init; }

    public required Homes Homes { get; init; }

    public required PipeService Pipes { get; init; }

    public required InputService Inputs { get; init; }

    public required AuditService Audit { get; init; }

    public required ArrayService Arrays { get; init; }

    public required ArtifactService Artifacts { get; init; }

    public required WorkflowService Workflows { get; init; }
    public required GroupService Groups { get; init; }

    public required CronService Crons { get; init; }

    public required CronFileKeeper CronFile { get; init; }

    public required PingService Pings { get; init; }

    public required TrustService Trust { get; init; }

    public required CommandService Commands { get; init; }

    /// <summary>Null where this device is a member of no pool.</summary>
    public required PoolHost? Pool { get; init; }

    public required OwnAddresses Addresses { get; init; }

    /// <summary>What others are told of where this device is.</summary>
    public required Func<IReadOnlyList<IPEndPoint>> Announced { get; init; }

    /// <summary>Null where no port is to be mapped.</summary>
    public required GatewayService? Gateway { get; init; }

    public required TurnService Turn { get; init; }

    /// <summary>Null without STUN servers.</summary>
    public required StunService? Stun { get; init; }

    public required BeaconRole? BeaconRole { get; init; }

    public required Discoveries Discoveries { get; init; }

    public required TimeProvider Time { get; init; }
}
