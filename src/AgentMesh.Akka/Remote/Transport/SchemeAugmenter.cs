using Akka.Actor;

namespace Akka.Remote.Transport;

/// <summary>Adds a prefix to the scheme of an address, and takes it away: <c>test</c> and <c>akka.test</c>.</summary>
public class SchemeAugmenter
{
    public readonly string AddedSchemeIdentifier;

    private readonly string _prefix;

    public SchemeAugmenter(string addedSchemeIdentifier)
    {
        AddedSchemeIdentifier = addedSchemeIdentifier;
        _prefix = addedSchemeIdentifier + ".";
    }

    public string AugmentScheme(string originalScheme) => _prefix + originalScheme;

    public Address AugmentScheme(Address address) => address.WithProtocol(AugmentScheme(address.Protocol));

    public string RemoveScheme(string scheme) => scheme.StartsWith(_prefix, StringComparison.Ordinal) ? scheme[_prefix.Length..] : scheme;

    public Address RemoveScheme(Address address) => address.WithProtocol(RemoveScheme(address.Protocol));
}
