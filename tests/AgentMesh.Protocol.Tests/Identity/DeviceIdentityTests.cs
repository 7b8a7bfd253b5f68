using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Identity;

public class DeviceIdentityTests
{
    private readonly DeviceIdentity _identity = DeviceIdentity.Create(new SeededEntropy(1));

    [Fact]
    public void Signature_holds_for_its_message_and_key_only()
    {
        byte[] signature = _identity.Sign("message"u8);
        DevicePublicKey other = DeviceIdentity.Create(new SeededEntropy(2)).PublicKey;

        Assert.True(DeviceIdentity.Verify(_identity.PublicKey, "message"u8, signature));
        Assert.False(DeviceIdentity.Verify(_identity.PublicKey, "massage"u8, signature));
        Assert.False(DeviceIdentity.Verify(other, "message"u8, signature));
        Assert.False(DeviceIdentity.Verify(_identity.PublicKey, "message"u8, signature.AsSpan(1)));
        Assert.False(DeviceIdentity.Verify(default, "message"u8, signature));
    }

    [Fact]
    public void Key_for_agreement_is_the_image_of_the_public_key()
    {
        byte[] image = new byte[32];
        Assert.True(Ed25519.TryConvertPublicKey(_identity.PublicKey.Span, image));
        Assert.Equal(image, _identity.AgreementPublic.ToArray());
    }

    [Fact]
    public void Public_key_of_low_order_has_no_image()
    {
        byte[] identityPoint = new byte[32];
        identityPoint[0] = 1;
        Assert.False(Ed25519.TryConvertPublicKey(identityPoint, new byte[32]));
    }

    [Fact]
    public void Missing_library_names_the_package_to_install()
    {
        MeshException e = Assert.Throws<MeshException>(() => Sodium.Find(typeof(Sodium).Assembly, ["libagentmesh-not-there.so.9"]));
        Assert.Equal(ProtocolErrors.SodiumMissing, e.Code);
        Assert.Contains("libsodium23", e.NextStep, StringComparison.Ordinal);
    }
}
