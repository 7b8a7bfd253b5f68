using System.Runtime.InteropServices;
using AgentMesh.Errors;

namespace AgentMesh.Protocol.Crypto;

/// <summary>Which libsodium is in use, for those who look after the machine.</summary>
public static class SodiumLibrary
{
    /// <summary>For example <c>1.0.18</c>.</summary>
    /// <exception cref="MeshException">AM0101: there is no libsodium on this machine.</exception>
    public static string Version
    {
        get
        {
            Sodium.Require();
            return Marshal.PtrToStringUTF8(Sodium.sodium_version_string()) ?? "of an unknown version";
        }
    }
}
