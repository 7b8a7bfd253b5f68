using System.Globalization;
using AgentMesh.Cli.Client;

namespace AgentMesh.Cli.Tests;

/// <summary>A command that comes before the node listens.</summary>
public sealed class NodeDoorTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-").FullName;

    private string Socket => Path.Combine(_directory, "control.sock");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Nobody_is_waited_for_where_nobody_has_the_directory() => Assert.False(NodeDoor.WaitUntilOpen(_directory, Socket, Long));

    [Fact]
    public void The_number_of_a_process_that_left_it_does_not_count()
    {
        WriteProcess();

        Assert.False(NodeDoor.WaitUntilOpen(_directory, Socket, Long));
    }

    [Fact]
    public async Task A_node_that_has_the_directory_is_waited_for()
    {
        using FileStream held = Hold();
        Task<bool> waiting = Task.Run(() => NodeDoor.WaitUntilOpen(_directory, Socket, Long));
        await Task.WhenAny(waiting, Task.Delay(100));
        Assert.False(waiting.IsCompleted);

        await File.WriteAllTextAsync(Socket, "");

        Assert.True(await waiting.WaitAsync(Long));
    }

    [Fact]
    public async Task A_node_that_ends_instead_is_not_waited_for_any_longer()
    {
        FileStream held = Hold();
        Task<bool> waiting = Task.Run(() => NodeDoor.WaitUntilOpen(_directory, Socket, Long));
        await Task.WhenAny(waiting, Task.Delay(100));
        Assert.False(waiting.IsCompleted);

        held.Dispose();

        Assert.False(await waiting.WaitAsync(Long));
    }

    [Fact]
    public void No_longer_than_was_said()
    {
        using FileStream held = Hold();

        Assert.False(NodeDoor.WaitUntilOpen(_directory, Socket, TimeSpan.FromMilliseconds(30)));
    }

    private FileStream Hold()
    {
        WriteProcess();
        return new FileStream(Path.Combine(_directory, "node.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    private void WriteProcess() => File.WriteAllText(Path.Combine(_directory, "node.pid"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
}
