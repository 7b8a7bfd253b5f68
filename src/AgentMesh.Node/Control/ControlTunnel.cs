using AgentMesh.Errors;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace AgentMesh.Node.Control;

/// <summary>
/// <c>GET /v1/on?device=</c> with <c>Upgrade: agentmesh-control</c>: from the answer 101 on the connection leads to the control API of that device, which sees every byte as it was sent.
/// </summary>
public static class ControlTunnel
{
    /// <summary>What the header <c>Upgrade</c> names.</summary>
    public const string Protocol = "agentmesh-control";

    private const int BufferBytes = 32 * 1024;

    internal static async Task ServeAsync(HttpContext http, string device, IControlServices services)
    {
        if (http.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade || http.Request.Headers.Upgrade != Protocol)
        {
            throw new MeshException(NodeErrors.ControlRequest, $"the way to another device needs the headers 'Connection: Upgrade' and 'Upgrade: {Protocol}'", "see docs/control-api.md; on the command line: agentmesh --on DEVICE VERB");
        }

        IMeshStream far = await services.OpenControlAsync(device, http.RequestAborted).ConfigureAwait(false);
        await using (far.ConfigureAwait(false))
        {
            http.Response.Headers.Upgrade = Protocol;
            Stream near = await upgrade.UpgradeAsync().ConfigureAwait(false);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            Task asking = AskAsync(near, far, over.Token), answering = AnswerAsync(far, near, over.Token);

            // Whoever asked has gone, or the device has no more to say.
            await Task.WhenAny(asking, answering).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            far.Abort(StreamCodes.Done);
            await Task.WhenAll(asking, answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task AskAsync(Stream from, IMeshStream to, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferBytes];
        for (int count; (count = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            await to.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task AnswerAsync(IMeshStream from, Stream to, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferBytes];
        for (int count; (count = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            await to.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            await to.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
