using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Mesh;

/// <summary>Makes the ulid of what a key stands for: a repeated submission reaches the entity that has the first one.</summary>
internal static class IdempotencyKeys
{
    /// <param name="scope">The home, with the kind before it where it is not a job: within one scope no two keys give the same ulid.</param>
    /// <exception cref="MeshException">AM0308: the key is empty or too long.</exception>
    public static Ulid UlidOf(string scope, string key) => key.Length is > 0 and <= JobId.IdempotencyKeyCharsMax
        ? Ulid.FromHash(SHA256.HashData(Encoding.UTF8.GetBytes(scope + key)))
        : throw new MeshException(MeshErrors.BadJobId, $"an idempotency key has 1 to {JobId.IdempotencyKeyCharsMax} characters, not {key.Length}", "use a shorter key, for example a hash of what it stands for");
}
