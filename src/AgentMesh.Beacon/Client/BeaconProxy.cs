using System.Net;

namespace AgentMesh.Beacon.Client;

/// <summary>The HTTP proxy that leads to a beacon's WebSocket, as settings name it. Its text may hold a password and is shown nowhere.</summary>
public static class BeaconProxy
{
    public const string None = "none";

    public static bool IsValid(string text) => text == None || (Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0);

    internal static WebProxy Parse(string text)
    {
        var uri = new Uri(text);
        string[] user = [.. uri.UserInfo.Split(':', 2).Select(Uri.UnescapeDataString)];
        return new WebProxy(new UriBuilder(uri) { UserName = "", Password = "" }.Uri)
        {
            Credentials = user is [{ Length: > 0 } name, ..] ? new NetworkCredential(name, user.Length > 1 ? user[1] : "") : null,
        };
    }
}
