using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Plugins;

namespace AgentMesh.Workers.Tests.Plugins;

/// <summary>With a real program: the Python example of docs/plugins.md.</summary>
public sealed class ProgramHandlerTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Plugins", "example_plugin.py");
    private static readonly DeviceId Caller = DeviceId.Parse(new string('c', DeviceId.TextLength));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_example_answers_counts_and_refuses()
    {
        using var handler = new ProgramHandler("words", ["python3", Program], AppContext.BaseDirectory);

        Assert.Equal("3", (await Call(handler, "count one two three")).Text);
        Assert.Equal("laptop", (await Call(handler, "caller")).Text);
        MeshException refused = await Assert.ThrowsAsync<MeshException>(() => Call(handler, "frobnicate"));
        Assert.Equal((WorkerErrors.PluginFailed, "unknown action 'frobnicate'", "use count or caller"), (refused.Code, refused.Message, refused.NextStep));
    }

    [Fact]
    public async Task Many_calls_at_once_each_get_their_own_answer()
    {
        using var handler = new ProgramHandler("words", ["python3", Program], AppContext.BaseDirectory);

        CommandResult[] results = await Task.WhenAll(Enumerable.Range(1, 50).Select(i => Call(handler, "count " + string.Join(' ', Enumerable.Repeat("w", i)))));

        Assert.Equal(Enumerable.Range(1, 50).Select(i => $"{i}"), results.Select(result => result.Text));
    }

    [Fact]
    public async Task A_program_that_ends_fails_its_call_and_is_started_again()
    {
        using var handler = new ProgramHandler("words", ["python3", Program], AppContext.BaseDirectory);

        MeshException gone = await Assert.ThrowsAsync<MeshException>(() => Call(handler, "die"));

        Assert.Equal(WorkerErrors.PluginFailed, gone.Code);
        Assert.Equal("1", (await Call(handler, "count x")).Text);
    }

    [Fact]
    public async Task A_program_that_never_answers_is_given_up_by_the_caller()
    {
        using var handler = new ProgramHandler("quiet", ["sleep", "1000"], AppContext.BaseDirectory);
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => handler.ExecuteAsync(new CommandCall("x", Caller, "laptop", null), limit.Token).AsTask());
    }

    [Fact]
    public async Task A_line_without_end_ends_the_program_and_not_the_memory()
    {
        using var handler = new ProgramHandler("flood", ["cat", "/dev/zero"], AppContext.BaseDirectory);

        Assert.Equal(WorkerErrors.PluginFailed, (await Assert.ThrowsAsync<MeshException>(() => Call(handler, "x"))).Code);
    }

    [Fact]
    public async Task A_missing_program_is_an_error_with_its_setting()
    {
        using var handler = new ProgramHandler("none", ["no-such-program"], AppContext.BaseDirectory);

        MeshException error = await Assert.ThrowsAsync<MeshException>(() => Call(handler, "x"));
        Assert.Contains("agentmesh.plugins.programs.none", error.NextStep, StringComparison.Ordinal);
    }

    [Fact]
    public void An_assembly_gives_its_public_handlers()
    {
        IReadOnlyList<ICommandHandler> found = HandlerAssembly.Load(typeof(ReverseHandler).Assembly.Location);

        Assert.Equal(["reverse"], found.Select(handler => handler.Name));
        Assert.Equal(WorkerErrors.PluginFailed, Assert.Throws<MeshException>(() => HandlerAssembly.Load(typeof(object).Assembly.Location + ".none")).Code);
        Assert.Equal(WorkerErrors.PluginFailed, Assert.Throws<MeshException>(() => HandlerAssembly.Load(typeof(MeshException).Assembly.Location)).Code);
    }

    private static Task<CommandResult> Call(ProgramHandler handler, string arguments) =>
        handler.ExecuteAsync(new CommandCall(arguments, Caller, "laptop", null), CancellationToken.None).AsTask().WaitAsync(Patience);
}

/// <summary>A handler as a plug-in has it.</summary>
public sealed class ReverseHandler : ICommandHandler
{
    public string Name => "reverse";

    public string Summary => "turn a text around";

    public string Help => "reverse TEXT";

    public ValueTask<CommandResult> ExecuteAsync(CommandCall call, CancellationToken cancellationToken) => ValueTask.FromResult(new CommandResult(new string([.. call.Arguments.Reverse()])));
}
