using System.Net.WebSockets;
using System.Text.Json;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Interactive;
using AgentMesh.Cli.Output;
using AgentMesh.Node;
using AgentMesh.Node.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Cli.Tests;

/// <summary>What <c>run -i</c> makes of the events of a command and of the answers to its input, in whatever order they come.</summary>
public sealed class InteractiveRunTests
{
    private static readonly JobView Accepted = new("job/home/1", "1", "running", "run -- nothing", "id", "here", 1, 1, DateTimeOffset.UnixEpoch, null, null, null, null, null, null, null, null, null);

    /// <summary>On a busy machine the job is over before its input is asked for.</summary>
    [Fact]
    public async Task A_program_that_has_ended_before_its_input_is_asked_for_ends_as_the_events_of_the_command_say()
    {
        string directory = Directory.CreateTempSubdirectory("am-input-").FullName;
        try
        {
            string socket = Path.Combine(directory, "control.sock");
            var refused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(options => options.ListenUnixSocket(socket));
            await using WebApplication node = builder.Build();
            node.UseWebSockets();
            node.MapPost("/v1/commands", async http =>
            {
                await Say(http, new CommandEvent("accepted", "here", Job: Accepted));
                await refused.Task;

                // The client knows of the refusal by now, and goes on or not.
                await Task.Delay(300, http.RequestAborted);
                await Say(http, new CommandEvent("ended", "here", Job: Accepted with { State = "failed", Problem = new ProblemView("AM0605", "cannot be started", null) }));
            });
            node.MapGet("/v1/job/input", async http =>
            {
                using WebSocket input = await http.WebSockets.AcceptWebSocketAsync();
                var message = new InputMessage("problem", Problem: new ProblemView(NodeErrors.InputOver, "job 1 does not run", null));
                await input.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, ControlJson.Default.InputMessage), WebSocketMessageType.Text, true, default);
                await input.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
                refused.SetResult();
            });
            await node.StartAsync();
            using var client = new ControlClient(socket);
            using StringWriter output = new(), error = new();

            int code = await new InteractiveRun(client, Terminal.Create(json: false, noColour: true, output, error)).ExecuteAsync(new CommandRequest(Arguments: ["nothing"]), onTerminal: false, CancellationToken.None);

            Assert.Equal(255, code);
            Assert.Contains("AM0605", error.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task Say(HttpContext http, CommandEvent happened)
    {
        await http.Response.WriteAsync(JsonSerializer.Serialize(happened, ControlJson.Default.CommandEvent) + "\n");
        await http.Response.Body.FlushAsync();
    }
}
