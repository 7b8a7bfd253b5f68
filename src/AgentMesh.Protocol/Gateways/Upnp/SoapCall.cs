using System.Globalization;
using System.Security;
using System.Text;

namespace AgentMesh.Protocol.Gateways.Upnp;

/// <summary>A call of an action of WANIPConnection, and what came back (UPnP Device Architecture 1.1, section 3).</summary>
public sealed record SoapCall(string Action, params IReadOnlyList<(string Name, string Value)> Arguments)
{
    private const int AnswersMax = 64;

    public static SoapCall GetExternalIpAddress { get; } = new("GetExternalIPAddress");

    /// <param name="lease">Seconds; 0 is for ever, which gateways of version 1 may insist on (error 725).</param>
    /// <param name="any">The gateway may take another external port (version 2).</param>
    public static SoapCall AddMapping(bool any, int externalPort, int internalPort, string client, uint lease, string description) => new(
        any ? "AddAnyPortMapping" : "AddPortMapping",
        ("NewRemoteHost", ""),
        ("NewExternalPort", Number(externalPort)),
        ("NewProtocol", "UDP"),
        ("NewInternalPort", Number(internalPort)),
        ("NewInternalClient", client),
        ("NewEnabled", "1"),
        ("NewPortMappingDescription", description),
        ("NewLeaseDuration", Number(lease)));

    public static SoapCall GetMapping(int externalPort) => new("GetSpecificPortMappingEntry", ("NewRemoteHost", ""), ("NewExternalPort", Number(externalPort)), ("NewProtocol", "UDP"));

    public static SoapCall DeleteMapping(int externalPort) => new("DeletePortMapping", ("NewRemoteHost", ""), ("NewExternalPort", Number(externalPort)), ("NewProtocol", "UDP"));

    /// <summary>The value of the SOAPACTION header.</summary>
    public string Header(string service) => $"\"{service}#{Action}\"";

    public byte[] Body(string service)
    {
        var body = new StringBuilder("<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>")
            .Append(CultureInfo.InvariantCulture, $"<u:{Action} xmlns:u=\"{service}\">");
        foreach ((string name, string value) in Arguments)
        {
            body.Append(CultureInfo.InvariantCulture, $"<{name}>{SecurityElement.Escape(value)}</{name}>");
        }

        return Encoding.UTF8.GetBytes(body.Append(CultureInfo.InvariantCulture, $"</u:{Action}></s:Body></s:Envelope>").ToString());
    }

    /// <summary>False when it is no answer to this call.</summary>
    public bool TryRead(byte[] document, out SoapAnswer answer)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        bool isAnswer = false, isFault = false;
        bool isXml = UpnpXml.TryWalk(
            document,
            opened =>
            {
                isAnswer |= opened == Action + "Response";
                isFault |= opened == "Fault";
            },
            (closed, text) =>
            {
                if (values.Count < AnswersMax)
                {
                    values[closed] = text;
                }
            });
        int error = isFault && values.TryGetValue("errorCode", out string? code) && int.TryParse(code, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int parsed) ? parsed : isFault ? -1 : 0;
        answer = new SoapAnswer(error, isFault ? Printable(values.GetValueOrDefault("errorDescription") ?? "") : "", values);
        return isXml && (isAnswer || isFault);
    }

    // People see it, and anybody may have written it.
    private static string Printable(string text) => new([.. text.Where(character => character is >= ' ' and <= '~').Take(80)]);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <param name="Error">0 for success; codes of WANIPConnection:2, section 2.5.</param>
/// <param name="Values">The texts of all elements by their names.</param>
public readonly record struct SoapAnswer(int Error, string ErrorText, IReadOnlyDictionary<string, string> Values)
{
    public const int NoSuchEntry = 714;
    public const int Conflict = 718;
    public const int OnlyPermanent = 725;

    /// <summary>Invalid action, or not implemented.</summary>
    public bool IsUnknownAction => Error is 401 or 402 or 602;

    public string Text => Error switch
    {
        0 => "success",
        606 => "it does not allow this device to map ports (error 606)",
        NoSuchEntry => "it has no such mapping (error 714)",
        Conflict => "the port is mapped for another device (error 718)",
        OnlyPermanent => "it maps ports for ever only (error 725)",
        _ => ErrorText.Length > 0 ? $"{ErrorText} (error {Error})" : $"error {Error}",
    };
}
