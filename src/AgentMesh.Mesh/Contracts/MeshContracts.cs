using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace AgentMesh.Mesh.Contracts;

/// <summary>The closed registry of what may travel and be stored: manifest to type and back. No type is ever found by a name from outside.</summary>
internal static class MeshContracts
{
    private static readonly Contract[] Contracts = [.. JobMessageContracts.All, .. JobEventContracts.All, .. PeerContracts.All, .. CronMessageContracts.All, .. CronEventContracts.All, .. ArrayMessageContracts.All, .. ArrayEventContracts.All, .. WorkflowMessageContracts.All, .. WorkflowEventContracts.All, .. GroupContracts.All];

    private static readonly FrozenDictionary<Type, Contract> ByType = Contracts.ToFrozenDictionary(contract => contract.Type);

    private static readonly FrozenDictionary<string, Contract> ByManifest =
        Contracts.SelectMany(contract => contract.Manifests.Select(manifest => (manifest, contract))).ToFrozenDictionary(pair => pair.manifest, pair => pair.contract, StringComparer.Ordinal);

    public static IReadOnlyCollection<Type> Types => ByType.Keys;

    public static IReadOnlyCollection<string> Manifests => ByManifest.Keys;

    public static bool TryFind(object message, [NotNullWhen(true)] out Contract? contract) => ByType.TryGetValue(message.GetType(), out contract);

    /// <exception cref="ContractException">An unknown manifest, or bytes that do not hold what it says.</exception>
    public static object Read(string manifest, byte[] bytes)
    {
        if (!ByManifest.TryGetValue(manifest, out Contract? contract))
        {
            throw new ContractException($"the manifest '{Shown(manifest)}' is not known here; a newer version may have written it");
        }

        try
        {
            return contract.Read(bytes);
        }
        catch (InvalidProtocolBufferException damaged)
        {
            throw new ContractException($"bytes under '{manifest}' are damaged", damaged);
        }
    }

    private static string Shown(string manifest) => manifest.Length <= 64 ? manifest : manifest[..64];
}
