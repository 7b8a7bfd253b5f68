using AgentMesh.Errors;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>The form of a URL to which results are sent. Whether this device sends anything there is for its settings to say.</summary>
public static class NotifyUrl
{
    public const int CharsMax = 2_048;

    private const string Example = "for example https://example.org/hooks/backup";

    /// <exception cref="MeshException">AM0632: not a URL for this.</exception>
    public static Uri Parse(string text)
    {
        if (text.Length > CharsMax)
        {
            throw Wrong($"it has {text.Length} characters, and {CharsMax} are possible", Example);
        }

        if (text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)) || !Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Host.Length == 0)
        {
            throw Wrong("it is no whole URL", Example);
        }

        if (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp)
        {
            throw Wrong($"{url.Scheme}: is not spoken", "write https://, or http:// for an address of your own network");
        }

        // It is shown with the schedule and stands in the journal.
        if (url.UserInfo.Length > 0)
        {
            throw Wrong("it has a user or a password in it", "sign with agentmesh.cron.notify.secret-file, and let the receiver verify that");
        }

        return url.Fragment.Length > 0 || text.Contains('#', StringComparison.Ordinal) ? throw Wrong("what follows # is never sent", "leave it out, or write %23") : url;
    }

    private static MeshException Wrong(string what, string next) => new(MeshErrors.BadNotifyUrl, $"this URL cannot be told of runs: {what}", next);
}
