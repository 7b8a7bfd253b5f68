using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentMesh.Errors;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Node.Administration;
using AgentMesh.Node.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using static AgentMesh.Node.Control.ControlHttp;

namespace AgentMesh.Node.Control;

/// <summary>
/// The one door for people and programs: HTTP/1.1 with JSON over a Unix socket that only the user may open. The CLI, the REPL and later
/// the dashboard are its clients. Documented in <c>docs/control-api.md</c>.
/// </summary>
internal sealed class ControlServer : IAsyncDisposable
{
    /// <summary>A table of parameters has up to 2 Mi characters, of which each may be escaped as six bytes.</summary>
    private const int BodyBytesMax = 16 * 1024 * 1024;

    private readonly WebApplication _app;

    private ControlServer(WebApplication app) => _app = app;

    /// <param name="remote">Devices that administer this one, and what stands before their requests; null where none do.</param>
    public static async Task<ControlServer> StartAsync(string socket, IControlServices services, (AdministratorListener Listener, AdministrationWall Wall)? remote = null)
    {
        PrivateDirectory.Create(Path.GetDirectoryName(socket)!);
        RemoveLeftOver(socket);

        // Empty: the others read appsettings.json from the working directory, which is the data directory of a node, and watch everything below it for
        // changes. Each write to the journal then costs two wake-ups, and a file that lies there could change how this door opens.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { Args = [] });
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = BodyBytesMax;
            options.AddServerHeader = false;
            options.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http1);
            if (remote is { Listener: var listener })
            {
                options.Listen(listener.EndPoint, listen => listen.Protocols = HttpProtocols.Http1);
            }
        });
        if (remote is { Listener: var connections })
        {
            // After the server's own, which would not be added where there is one already.
            builder.Services.AddSingleton<IConnectionListenerFactory>(connections);
        }

        WebApplication app = builder.Build();
        app.UseWebSockets();
        app.Use(AnswerProblems);
        if (remote is { Wall: var wall })
        {
            app.Use(wall.PassAsync);
        }

        Map(app, services);
        await app.StartAsync().ConfigureAwait(false);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return new ControlServer(app);
    }

    /// <summary>A file that a killed node left behind: the lock on the data directory says that nobody listens there. While it is there, who asks is refused; while none is, who asks waits for this node.</summary>
    public static void RemoveLeftOver(string socket)
    {
        if (File.Exists(socket))
        {
            File.Delete(socket);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await _app.StopAsync(patience.Token).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static void Map(WebApplication app, IControlServices services)
    {
        app.MapGet("/v1/status", async http => await Answer(http, services.StatusAsync(http.RequestAborted), ControlJson.Default.StatusView).ConfigureAwait(false));
        app.MapGet("/v1/peers", async http => await Answer(http, services.PeersAsync(http.RequestAborted), ControlJson.Default.IReadOnlyListPeerView).ConfigureAwait(false));
        app.MapGet("/v1/diagnostics", async http => await Answer(http, services.DiagnosticsAsync(), ControlJson.Default.DiagnosticsView).ConfigureAwait(false));
        app.MapGet("/v1/config", async http => await Answer(http, services.ConfigAsync(), ControlJson.Default.ConfigView).ConfigureAwait(false));
        app.MapPost("/v1/config", async http =>
            await Answer(http, services.SetAsync(await Body(http, ControlJson.Default.SetRequest).ConfigureAwait(false)), ControlJson.Default.SettingView).ConfigureAwait(false));
        app.MapGet("/v1/pairings", async http => await Answer(http, services.PairingsAsync(), ControlJson.Default.IReadOnlyListPairingView).ConfigureAwait(false));
        app.MapGet("/v1/invitations", async http => await Answer(http, services.InvitationsAsync(), ControlJson.Default.IReadOnlyListInvitationStateView).ConfigureAwait(false));
        app.MapPost("/v1/invitations", async http =>
            await Answer(http, services.InviteAsync(await Body(http, ControlJson.Default.InviteRequest).ConfigureAwait(false)), ControlJson.Default.InvitationView).ConfigureAwait(false));
        app.MapPost("/v1/join", async http =>
            await Answer(http, services.JoinAsync(await Body(http, ControlJson.Default.JoinRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.PairingView).ConfigureAwait(false));
        app.MapPost("/v1/grants", async http =>
            await Answer(http, services.GrantAsync(await Body(http, ControlJson.Default.GrantRequest).ConfigureAwait(false)), ControlJson.Default.PeerView).ConfigureAwait(false));
        app.MapPost("/v1/rename", async http =>
            await Answer(http, services.RenameAsync(await Body(http, ControlJson.Default.RenameRequest).ConfigureAwait(false)), ControlJson.Default.PeerView).ConfigureAwait(false));
        app.MapPost("/v1/forget", async http =>
            await Answer(http, services.ForgetAsync(await Body(http, ControlJson.Default.ForgetRequest).ConfigureAwait(false)), ControlJson.Default.ForgottenView).ConfigureAwait(false));
        app.MapGet("/v1/devices", async http => await Answer(http, services.DevicesAsync(), ControlJson.Default.IReadOnlyListDeviceView).ConfigureAwait(false));
        app.MapGet("/v1/device", async http => await Answer(http, services.DeviceAsync(Need(http, "peer")), ControlJson.Default.DeviceView).ConfigureAwait(false));
        app.MapPost("/v1/devices/revoke", async http =>
            await Answer(http, services.RevokeAsync(await Body(http, ControlJson.Default.RevokeRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.RevokedView).ConfigureAwait(false));
        app.MapGet("/v1/history", async http => await Answer(
            http,
            services.HistoryAsync(Query(http, "peer"), Query(http, "limit") is { } limit && int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out int most) ? Math.Clamp(most, 1, 1_000) : 100),
            ControlJson.Default.IReadOnlyListConnectionView).ConfigureAwait(false));
        app.MapPost("/v1/devices/rotate-key", async http =>
        {
            RotatedView rotated = await services.RotateKeyAsync(await Body(http, ControlJson.Default.RotateKeyRequest).ConfigureAwait(false)).ConfigureAwait(false);
            try
            {
                await Answer(http, Task.FromResult(rotated), ControlJson.Default.RotatedView).ConfigureAwait(false);
                await http.Response.CompleteAsync().ConfigureAwait(false);
            }
            finally
            {
                // Whoever asked may have gone away: with the old key nobody talks any more.
                services.Restart();
            }
        });
        app.MapPost("/v1/compromised", async http =>
        {
            // Whoever asked may go away: it is done all the same.
            await Answer(http, services.CompromisedAsync(), ControlJson.Default.CompromisedView).ConfigureAwait(false);
            await http.Response.CompleteAsync().ConfigureAwait(false);
            services.Shutdown(endPrograms: true);
        });
        app.MapPost("/v1/connect", async http =>
            await Answer(http, services.ConnectAsync(await Body(http, ControlJson.Default.ConnectRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.PeerView).ConfigureAwait(false));
        app.MapPost("/v1/ping", async http =>
            await Stream(http, services.PingAsync(await Body(http, ControlJson.Default.PingRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.PingEvent).ConfigureAwait(false));
        app.MapGet("/v1/trace", async http => await TraceAsync(http, services).ConfigureAwait(false));
        app.MapPost("/v1/commands", async http =>
            await Stream(http, services.RunAsync(await Body(http, ControlJson.Default.CommandRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.CommandEvent, EventFrames.Split).ConfigureAwait(false));
        app.MapPost("/v1/pipes", async http =>
            await Stream(http, services.PipeAsync(await Body(http, ControlJson.Default.PipeRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.CommandEvent, EventFrames.Split).ConfigureAwait(false));
        app.MapGet("/v1/jobs", async http =>
            await Answer(
                http,
                services.JobsAsync(
                    new JobFilter(Query(http, "state"), Query(http, "on"), Query(http, "text"), Time(http, "since"), Query(http, "group"), Query(http, "home")),
                    Number(http, "limit") ?? 50,
                    Query(http, "before"),
                    http.RequestAborted),
                ControlJson.Default.JobPage).ConfigureAwait(false));
        app.MapGet(RemoteRoutes.OnPattern, async http => await ControlTunnel.ServeAsync(http, Need(http, "device"), services).ConfigureAwait(false));
        app.MapGet("/v1/audit", async http => await Answer(
            http,
            services.AuditAsync(Number(http, "limit") ?? 50, Query(http, "peer"), Time(http, "since") ?? DateTimeOffset.MinValue, Query(http, "outcome"), http.RequestAborted),
            ControlJson.Default.IReadOnlyListAuditView).ConfigureAwait(false));
        MapJob(app, services);
        MapArray(app, services);
        MapArtifact(app, services);
        MapWorkflow(app, services);
        MapGroup(app, services);
        MapCron(app, services);
        app.MapPost("/v1/shutdown", async http =>
        {
            http.Response.StatusCode = StatusCodes.Status202Accepted;
            await http.Response.CompleteAsync().ConfigureAwait(false);
            services.Shutdown(endPrograms: Query(http, "programs") == "end");
        });
        app.MapFallback(http => throw new MeshException(
            NodeErrors.ControlRequest, $"there is no {http.Request.Method} {http.Request.Path} in this control API", "node and command line may have different versions: restart the node with 'agentmesh down' and 'agentmesh up'"));
    }

    // A job is named by a query value: its id holds slashes.
    private static void MapJob(WebApplication app, IControlServices services)
    {
        app.MapGet("/v1/job", async http => await Answer(http, services.JobAsync(Need(http, "id"), http.RequestAborted), ControlJson.Default.JobView).ConfigureAwait(false));
        app.MapGet("/v1/job/history", async http =>
            await Answer(http, services.JobHistoryAsync(Need(http, "id"), http.RequestAborted), ControlJson.Default.IReadOnlyListJobEventView).ConfigureAwait(false));
        app.MapPost("/v1/job/cancel", async http => await Answer(http, services.CancelAsync(Need(http, "id"), http.RequestAborted), ControlJson.Default.JobView).ConfigureAwait(false));
        app.MapPost("/v1/job/retry", async http => await Answer(http, services.RetryAsync(Need(http, "id"), Query(http, "from") == "start", http.RequestAborted), ControlJson.Default.JobView).ConfigureAwait(false));
        app.MapPost("/v1/jobs/prune", async http => await Answer(
            http, services.PruneAsync(Query(http, "home"), LongNumber(http, "before-ms"), Query(http, "dry-run") == "true", http.RequestAborted), ControlJson.Default.PrunedView).ConfigureAwait(false));
        app.MapGet("/v1/job/input", async http => await InputSocket.ServeAsync(http, Need(http, "id"), services).ConfigureAwait(false));
        app.MapGet("/v1/job/output", async http =>
            await Stream(
                http,
                services.OutputAsync(
                    new OutputQuery(Need(http, "id"), Query(http, "stream"), Number(http, "attempt"), LongNumber(http, "from") ?? 0, Query(http, "follow") == "true", Number(http, "tail"), Query(http, "at")) { FromEvent = LongNumber(http, "fromEvent") ?? 0 }, http.RequestAborted),
                ControlJson.Default.OutputView,
                EventFrames.Split).ConfigureAwait(false));
    }

    private static void MapArray(WebApplication app, IControlServices services)
    {
        app.MapPost("/v1/arrays", async http =>
            await Answer(http, services.SubmitArrayAsync(await Body(http, ControlJson.Default.ArrayRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.ArrayView).ConfigureAwait(false));
        app.MapGet("/v1/array", async http => await Answer(http, services.ArrayAsync(Need(http, "id"), http.RequestAborted), ControlJson.Default.ArrayView).ConfigureAwait(false));
        app.MapGet("/v1/array/elements", async http =>
            await Answer(
                http,
                services.ElementsAsync(Need(http, "id"), Number(http, "from") ?? 0, Number(http, "limit") ?? 100, Query(http, "failed") == "true", http.RequestAborted),
                ControlJson.Default.ArrayElementPage).ConfigureAwait(false));
        app.MapPost("/v1/array/cancel", async http => await Answer(http, services.CancelArrayAsync(Need(http, "id"), http.RequestAborted), ControlJson.Default.ArrayView).ConfigureAwait(false));
        app.MapPost("/v1/array/retry", async http => await Answer(http, services.RetryArrayAsync(Need(http, "id"), http.RequestAborted), ControlJson.Default.ArrayView).ConfigureAwait(false));
    }

    private static async Task TraceAsync(HttpContext http, IControlServices services)
    {
        const int longest = 24 * 60 * 60;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        over.CancelAfter(TimeSpan.FromSeconds(Math.Clamp(Number(http, "seconds") ?? longest, 1, longest)));
        await foreach (byte[] block in services.TraceAsync(Number(http, "snap") ?? int.MaxValue, over.Token).ConfigureAwait(false))
        {
            if (!http.Response.HasStarted)
            {
                http.Response.ContentType = "application/x-pcapng";
            }

            await http.Response.Body.WriteAsync(block, http.RequestAborted).ConfigureAwait(false);
            await http.Response.Body.FlushAsync(http.RequestAborted).ConfigureAwait(false);
        }
    }

    private static void MapArtifact(WebApplication app, IControlServices services)
    {
        app.MapGet("/v1/artifacts", async http =>
            await Answer(http, services.ArtifactsAsync(Query(http, "job"), Query(http, "home"), Number(http, "limit") ?? 100, http.RequestAborted), ControlJson.Default.IReadOnlyListArtifactView).ConfigureAwait(false));
        app.MapPost("/v1/artifact/remove", async http => await Answer(http, services.RemoveArtifactAsync(Need(http, "id"), Query(http, "home"), http.RequestAborted), ControlJson.Default.ArtifactView).ConfigureAwait(false));
        app.MapGet("/v1/artifact/content", async http =>
        {
            (ArtifactView view, Stream content) = await services.OpenArtifactAsync(Need(http, "id"), Query(http, "home"), http.RequestAborted).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
            {
                http.Response.ContentType = "application/octet-stream";
                http.Response.ContentLength = view.Size;
                http.Response.Headers.ETag = $"\"{view.Hash}\"";
                await content.CopyToAsync(http.Response.Body, http.RequestAborted).ConfigureAwait(false);
            }
        });
        app.MapPost("/v1/artifact/content", async http =>
        {
            // The store has its own bound.
            http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
            await Answer(http, services.PutArtifactAsync(Need(http, "name"), Query(http, "home"), http.Request.Body, http.RequestAborted), ControlJson.Default.ArtifactView).ConfigureAwait(false);
        });
    }

    private static void MapWorkflow(WebApplication app, IControlServices services)
    {
        app.MapPost("/v1/workflows", async http =>
            await Answer(http, services.SubmitWorkflowAsync(await Body(http, ControlJson.Default.WorkflowRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.WorkflowView).ConfigureAwait(false));
        app.MapGet("/v1/workflows", async http =>
            await Answer(http, services.WorkflowsAsync(Query(http, "home"), Query(http, "state"), Number(http, "limit") ?? 50, http.RequestAborted), ControlJson.Default.IReadOnlyListWorkflowView).ConfigureAwait(false));
        app.MapGet("/v1/workflow", async http => await Answer(http, services.WorkflowAsync(Need(http, "id"), http.RequestAborted), ControlJson.Default.WorkflowView).ConfigureAwait(false));
        foreach (WorkflowAction action in Enum.GetValues<WorkflowAction>())
        {
            bool isOfStep = action is WorkflowAction.Retry or WorkflowAction.Skip;
            app.MapPost($"/v1/workflow/{action.ToString().ToLowerInvariant()}", async http => await Answer(
                http, services.ChangeWorkflowAsync(Need(http, "id"), action, isOfStep ? Need(http, "step") : null, http.RequestAborted), ControlJson.Default.WorkflowView).ConfigureAwait(false));
        }

        app.MapPost("/v1/workflow/edit", async http => await Answer(
            http,
            services.EditStepAsync(Need(http, "id"), Need(http, "step"), await Body(http, ControlJson.Default.StepEditRequest).ConfigureAwait(false), http.RequestAborted),
            ControlJson.Default.WorkflowView).ConfigureAwait(false));
        app.MapPost("/v1/workflow/fork", async http => await Answer(
            http, services.ForkWorkflowAsync(Need(http, "id"), await Body(http, ControlJson.Default.ForkRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.WorkflowView).ConfigureAwait(false));
    }

    private static void MapGroup(WebApplication app, IControlServices services)
    {
        app.MapGet("/v1/groups", async http => await Answer(http, services.GroupsAsync(http.RequestAborted), ControlJson.Default.IReadOnlyListGroupView).ConfigureAwait(false));
        app.MapPost("/v1/groups", async http =>
            await Answer(http, services.SetGroupAsync(await Body(http, ControlJson.Default.GroupRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.GroupView).ConfigureAwait(false));
        app.MapGet("/v1/group", async http => await Answer(http, services.GroupAsync(Need(http, "name"), Query(http, "home"), http.RequestAborted), ControlJson.Default.GroupView).ConfigureAwait(false));
        app.MapPost("/v1/group/remove", async http => await Answer(http, services.RemoveGroupAsync(Need(http, "name"), Query(http, "home"), http.RequestAborted), ControlJson.Default.GroupRemovedView).ConfigureAwait(false));
    }

    private static void MapCron(WebApplication app, IControlServices services)
    {
        app.MapGet("/v1/crons", async http => await Answer(http, services.CronsAsync(http.RequestAborted), ControlJson.Default.IReadOnlyListCronView).ConfigureAwait(false));
        app.MapPost("/v1/crons", async http =>
            await Answer(http, services.AddCronAsync(await Body(http, ControlJson.Default.CronRequest).ConfigureAwait(false), http.RequestAborted), ControlJson.Default.CronView).ConfigureAwait(false));
        app.MapPost("/v1/crons/reload", async http => await Answer(http, services.ReloadCronsAsync(http.RequestAborted), ControlJson.Default.CronFileView).ConfigureAwait(false));
        app.MapGet("/v1/cron", async http => await Answer(http, services.CronAsync(Need(http, "name"), http.RequestAborted), ControlJson.Default.CronView).ConfigureAwait(false));
        app.MapPost("/v1/cron/enable", async http => await Answer(http, services.EnableCronAsync(Need(http, "name"), true, http.RequestAborted), ControlJson.Default.CronView).ConfigureAwait(false));
        app.MapPost("/v1/cron/disable", async http => await Answer(http, services.EnableCronAsync(Need(http, "name"), false, http.RequestAborted), ControlJson.Default.CronView).ConfigureAwait(false));
        app.MapPost("/v1/cron/run", async http => await Answer(http, services.RunCronAsync(Need(http, "name"), http.RequestAborted), ControlJson.Default.JobView).ConfigureAwait(false));
        app.MapPost("/v1/cron/backfill", async http => await Answer(
            http,
            services.BackfillCronAsync(Need(http, "name"), await Body(http, ControlJson.Default.BackfillRequest).ConfigureAwait(false), http.RequestAborted),
            ControlJson.Default.CronBackfillView).ConfigureAwait(false));
        app.MapPost("/v1/cron/remove", async http => await Answer(http, services.RemoveCronAsync(Need(http, "name"), http.RequestAborted), ControlJson.Default.CronRemovedView).ConfigureAwait(false));
    }

    private static async Task AnswerProblems(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http).ConfigureAwait(false);
        }
        catch (Exception error) when (!http.Response.HasStarted && error is not OperationCanceledException)
        {
            (int status, ProblemView problem) = Problems.Describe(error);
            byte[] text = JsonSerializer.SerializeToUtf8Bytes(problem, ControlJson.Default.ProblemView);
            http.Response.StatusCode = status;
            http.Response.ContentType = "application/json; charset=utf-8";

            // With its length, for clients that asked for another protocol and get this instead.
            http.Response.ContentLength = text.Length;
            await http.Response.Body.WriteAsync(text, http.RequestAborted).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The client went away.
        }
    }
}
