using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace AgentMesh.Node.Webhooks;

/// <summary>
/// The header <c>webhook-signature</c> of Standard Webhooks: <c>v1,</c> and in base64 the HMAC-SHA256 over <c>ID.TIMESTAMP.BODY</c>; several, one for each secret, with a blank between.
/// </summary>
internal static class WebhookSignature
{
    /// <param name="at">To the second, since 1970.</param>
    public static string Of(IReadOnlyList<byte[]> secrets, string id, long at, ReadOnlySpan<byte> body)
    {
        byte[] head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{at}."));
        byte[] signed = [.. head, .. body];
        return string.Join(' ', secrets.Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, signed))));
    }
}
