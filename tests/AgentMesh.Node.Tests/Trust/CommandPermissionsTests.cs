using AgentMesh.Mesh;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Tests.Registry;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Node.Tests.Trust;

/// <summary>Whose programs are locked in, and how far.</summary>
public sealed class CommandPermissionsTests : IDisposable
{
    private static readonly DeviceIdentity Here = Identity(1), Narrow = Identity(2), Wide = Identity(3), Stranger = Identity(4);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-permissions-").FullName;
    private readonly DeviceRegistry _registry;

    public CommandPermissionsTests()
    {
        _registry = DeviceRegistry.Open(Path.Combine(_directory, "here"), Here, TimeProvider.System);
        _registry.Admit(Narrow.PublicKey, "narrow", ["run:train", "dir:/data", "read:/venv"]);
        _registry.Admit(Wide.PublicKey, "wide", ["run", "run:train", "dir:/wide"]);
    }

    [Fact]
    public void A_program_is_locked_in_unless_its_device_may_start_every_one()
    {
        CommandPermissions permissions = Permissions(confines: true);
        Confinement narrow = permissions.ConfinementOf(Narrow.Id, Order(["train"]))!;
        Assert.Equal(["/data"], narrow.Writable);
        Assert.Equal(["/venv"], narrow.Readable);
        Assert.Equal(["/data", "/wide"], narrow.Changeable.Order());
        Assert.Null(permissions.ConfinementOf(Wide.Id, Order(["train"])));
        Assert.Null(permissions.ConfinementOf(Here.Id, Order(["train"])));
        Assert.Null(permissions.ConfinementOf(Narrow.Id, Order([])));
        Assert.Empty(permissions.ConfinementOf(Stranger.Id, Order(["train"]))!.Writable);
        Assert.Null(Permissions(confines: false).ConfinementOf(Narrow.Id, Order(["train"])));
    }

    public void Dispose()
    {
        _registry.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private CommandPermissions Permissions(bool confines) => new(Here.Id, "here", _registry, commandsNeedGrant: false, confines, _directory);

    private static AttemptOrder Order(string[] words) =>
        new(new AttemptKey(JobId.FromIdempotencyKey(Here.Id, "a"), 1), words.Length == 0 ? "calc 1" : "", words, new Caller(Narrow.Id, "narrow", "user"), null, null);

    private static DeviceIdentity Identity(byte seed) => DeviceIdentity.Create(new Filled(seed));
}
