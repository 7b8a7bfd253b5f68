using AgentMesh.Errors;
using AgentMesh.Journal.Audit;
using AgentMesh.Mesh.Grants;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace AgentMesh.Node.Administration;

/// <summary>Stands before every request of another device: looks at its grant as it is now, and writes it into the audit log. Requests over the control socket pass: only the owner can open it.</summary>
/// <param name="deviceName">Of this device.</param>
internal sealed class AdministrationWall(string deviceName, Administrators administrators, AdministrationAudit audit)
{
    public async Task PassAsync(HttpContext http, RequestDelegate next)
    {
        if (http.Features.Get<AdministratorConnection>() is not { } from)
        {
            await next(http).ConfigureAwait(false);
            return;
        }

        TakeItsTime(http);
        string? route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        string method = http.Request.Method;
        if (Refusal(deviceName, administrators.NameOf(from.Device), administrators.RightOf(from.Device), method, route) is { } refusal)
        {
            audit.Refused(from.Device, What(http), $"{method} {route}", refusal.Code);
            throw refusal;
        }

        AuditRecord? taken = audit.Taken(from.Device, What(http), RemoteRoutes.IsRead(method, route) ? route : null);
        (string Outcome, string? Code) end = ("succeeded", null);
        try
        {
            await next(http).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            end = ("cancelled", null);
            throw;
        }
        catch (Exception error)
        {
            end = ("failed", (error as MeshException)?.Code);
            throw;
        }
        finally
        {
            audit.Over(taken, end.Outcome, end.Code);
        }
    }

    /// <param name="here">The name of this device.</param>
    /// <param name="there">The name that this device has for the one that asks.</param>
    /// <param name="route">The pattern of the route; null where there is none for what was asked.</param>
    /// <returns>Null where it may.</returns>
    public static MeshException? Refusal(string here, string there, AdministrationRight right, string method, string? route) =>
        right == AdministrationRight.None ? new MeshException(AdministrationErrors.NotGranted, $"{here} does not let {there} administer it", $"on {here}: agentmesh grant {there} admin, or admin:read to look only")
        : RemoteRoutes.IsForDeviceItself(route) ? new MeshException(AdministrationErrors.NotFromAfar, $"{method} {route} is for the device itself, and is not done for another one", $"do it on {here}")
        : right == AdministrationRight.Read && !RemoteRoutes.IsRead(method, route) ? new MeshException(
            AdministrationErrors.NotGranted, $"{here} lets {there} look (admin:read), and not do this", $"on {here}: agentmesh grant {there} admin")
        : null;

    private static string What(HttpContext http) => $"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}";

    // A mesh can be slower than the server expects of who sends to it and reads from it; how many streams a device has is bounded.
    private static void TakeItsTime(HttpContext http)
    {
        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } sending)
        {
            sending.MinDataRate = null;
        }

        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } reading)
        {
            reading.MinDataRate = null;
        }
    }
}
