using AgentMesh.Mesh;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Node.Artifacts;
using AgentMesh.Node.Input;
using AgentMesh.Node.Output;
using AgentMesh.Node.Pipes;
using AgentMesh.Node.RoundTrips;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.Hosting;

/// <summary>What carries bytes between devices beside the messages of actors: output, input, pipes and artifacts.</summary>
internal sealed class StreamParts
{
    private readonly EntityHost _entities;
    private readonly GenerationKeeper _generations;

    /// <param name="placeOf">The device that takes the output of a home's jobs; null while none is there.</param>
    public StreamParts(DeviceParts device, StoreParts stores, WorkerParts workers, EntityHost entities, GenerationKeeper generations, Func<HomeId, DeviceId?> placeOf, Endings endings)
    {
        (_entities, _generations) = (entities, generations);
        ConnectionHub hub = device.Hub;
        Pace = new BulkPace(device.Settings.Output.BesideCommands is > 0 and var rate ? rate * Environment.ProcessorCount : null, device.Time);
        workers.Table.Called += Pace.CommandSeen;
        var outputs = new OutputIntake(stores.Outputs, (job, attempt, from, cancel) => entities.MayDeliverAsync(Sharding, job, attempt, from, cancel), Pace);
        endings.AddAsync(new OutputShipper(device.Id, placeOf, workers.Table, hub, outputs, Pace, device.Time));
        hub.Register(OutputServices.Append, outputs.ServeAsync);

        var inputs = new InputIntake(
            workers.Table,
            (job, attempt, from, cancel) => entities.RouteInputAsync(Sharding, job, attempt, from, cancel),
            (other, cancel) => hub.OpenAsync(other, InputIntake.Service, StreamPriority.Bulk, cancel));
        Feeder = new InputFeeder(device.Id, hub, inputs, device.Time);
        endings.AddAsync(new PipeShipper(workers.Table, Feeder, Pace));
        hub.Register(InputIntake.Service, (connection, stream, cancel) => inputs.ServeAsync(connection.RemoteId, stream, cancel));

        var artifacts = new ArtifactIntake(stores.Artifacts, (job, attempt, from, cancel) => entities.MayTransferAsync(Sharding, job, attempt, from, cancel), device.Time);
        hub.Register(ArtifactServices.Append, artifacts.TakeAsync);
        hub.Register(ArtifactServices.Read, artifacts.GiveAsync);
        hub.Register(PingResponder.Service, new PingResponder(device.Time).ServeAsync);
    }

    public BulkPace Pace { get; }

    public InputFeeder Feeder { get; }

    private MeshSharding? Sharding => _generations.Live is { } live ? _entities.Of(live) : null;
}
