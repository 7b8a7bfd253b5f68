using System.Runtime.Serialization;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Contracts;

public sealed class MeshSerializerTests : IAsyncLifetime
{
    private readonly ActorSystem _system = ActorSystem.Create("serializer", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\n" + MeshSerializer.Hocon()));

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _system.Terminate();

    [Fact]
    public void Every_type_of_the_domain_is_bound_to_it()
    {
        Assert.All(MeshContracts.Types, type => Assert.IsType<MeshSerializer>(_system.Serialization.FindSerializerForType(type)));
        var message = new SubmitJob(Job, FullSpec);
        var serializer = Assert.IsAssignableFrom<SerializerWithStringManifest>(_system.Serialization.FindSerializerFor(message));
        Assert.Equal(message, _system.Serialization.Deserialize(serializer.ToBinary(message), MeshSerializer.Id, serializer.Manifest(message)));
    }

    [Fact]
    public void An_unknown_manifest_and_damaged_bytes_are_refused_as_such()
    {
        Assert.Throws<SerializationException>(() => _system.Serialization.Deserialize([1, 2, 3], MeshSerializer.Id, "job.frobnicate.1"));
        Assert.Throws<SerializationException>(() => _system.Serialization.Deserialize([0xff, 0xff], MeshSerializer.Id, "job.submit.1"));
        Assert.Throws<SerializationException>(() => _system.Serialization.Deserialize([], MeshSerializer.Id, "System.String"));
    }

    [Fact]
    public void What_is_no_message_of_the_domain_is_not_written() =>
        Assert.Throws<SerializationException>(() => new MeshSerializer((ExtendedActorSystem)_system).ToBinary("text"));
}
