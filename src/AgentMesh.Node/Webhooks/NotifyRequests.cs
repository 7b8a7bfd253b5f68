using AgentMesh.Errors;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Node.Webhooks;

/// <summary>Whom the caller of a job, an array, a workflow or a schedule wants told, as it stands in a request.</summary>
internal sealed class NotifyRequests(NotifyPolicy policy)
{
    /// <param name="url">Null for nobody.</param>
    /// <param name="on">any, also for null, failure or success.</param>
    /// <exception cref="MeshException">AM0632: no URL for this. AM0633: this device may not send there. Another one: <paramref name="on"/> is none of these, or without a URL.</exception>
    public Notify? Read(string? url, string? on)
    {
        if (url is null)
        {
            return on is null ? null : throw Wrong("'notifyOn' says of which ends somebody is told, and 'notify' is missing", "add --notify https://example.org/hook");
        }

        policy.Check(NotifyUrl.Parse(url));
        return new Notify(url, on is null ? NotifyOn.Any : OnOf(on));
    }

    private static NotifyOn OnOf(string on) => Enum.TryParse(on, ignoreCase: true, out NotifyOn read) && Enum.IsDefined(read) && !char.IsAsciiDigit(on[0])
        ? read
        : throw Wrong($"'{on}' is nothing that 'notifyOn' can be", $"it is one of: {string.Join(", ", Enum.GetNames<NotifyOn>().Select(name => name.ToLowerInvariant()))}");

    private static MeshException Wrong(string what, string next) => new(NodeErrors.ControlRequest, what, next);
}
