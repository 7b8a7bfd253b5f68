using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Beacon.Web;

/// <summary>
/// The certificate of a beacon's WebSocket. One that the beacon makes itself says, in an extension, that its key belongs to the beacon's identity: who knows that identity
/// needs no authority. Nothing that matters depends on it: devices and beacon authenticate each other inside.
/// </summary>
internal static class BeaconCertificate
{
    // Of the arc for numbers that everybody may make (ITU-T X.667): 2.25 and a random UUID.
    private const string ProofOid = "2.25.201238926731208920569669903049418315823";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(10 * 365);

    // A client's clock may be slow.
    private static readonly TimeSpan Slack = TimeSpan.FromDays(2);

    /// <summary>A fresh key, and a certificate for it that the identity vouches for.</summary>
    public static X509Certificate2 Create(DeviceIdentity identity, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={identity.Id}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509Extension(ProofOid, identity.Sign(Statement(key.ExportSubjectPublicKeyInfo())), critical: false));
        return request.CreateSelfSigned(now - Slack, now + Lifetime);
    }

    /// <exception cref="MeshException">AM0158.</exception>
    public static X509Certificate2 Load(string certificateFile, string keyFile)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new MeshException(
                BeaconErrors.CertificateFiles, $"the certificate {certificateFile} with the key {keyFile} cannot be used: {error.Message}", "both are PEM files, the key without a password; leave both out and the beacon makes one itself", error);
        }
    }

    /// <summary>The beacon with this identity made it.</summary>
    public static bool IsProven(X509Certificate2 certificate, DevicePublicKey beacon) =>
        certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == ProofOid) is { } proof
        && proof.RawData.Length == DeviceIdentity.SignatureBytes
        && DeviceIdentity.Verify(beacon, Statement(certificate.PublicKey.ExportSubjectPublicKeyInfo()), proof.RawData);

    private static byte[] Statement(byte[] subjectPublicKeyInfo) => [.. "agentmesh beacon tls key 1"u8, .. SHA256.HashData(subjectPublicKeyInfo)];
}
