using System.Net;

namespace AgentMesh.Node.Links;

/// <summary>"192.0.2.7:14590" and "[2001:db8::7]:14590", as they stand in hellos and files.</summary>
internal static class AddressText
{
    public static bool TryParse(string text, out IPEndPoint endpoint)
    {
        endpoint = null!;
        if (text.Length > 64 || !IPEndPoint.TryParse(text, out IPEndPoint? parsed) || parsed.Port == 0 ||
            parsed.Address.Equals(IPAddress.Any) || parsed.Address.Equals(IPAddress.IPv6Any))
        {
            return false;
        }

        endpoint = parsed;
        return true;
    }

    public static IEnumerable<IPEndPoint> ParseAll(IEnumerable<string> texts, int most) => texts.Take(most).Where(text => TryParse(text, out _)).Select(text => IPEndPoint.Parse(text));
}
