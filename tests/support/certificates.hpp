// Certificates that a test makes for itself: an authority, and whom it vouches for.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

namespace trunkline::support {

/// What a certificate says beside whose it is.
struct certificate_wish {
    std::string names{}; ///< As openssl.cnf has it: "DNS:a.example,URI:sip:example.net".
    std::string common_name = "somebody";
    std::string usage = "serverAuth";
    long valid_from = -3'600; ///< Seconds from now.
    long valid_until = 3'600;
};

/// One certificate and its key, in two files.
struct certificate_files {
    std::string certificate;
    std::string key;
};

class authority {
public:
    explicit authority(const std::string& name) {
        auto folder = (std::filesystem::temp_directory_path() / "trunkline-XXXXXX").string();
        REQUIRE(::mkdtemp(folder.data()) != nullptr);
        folder_ = folder;
        key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
        certificate_ = write({.names = "", .common_name = name, .usage = ""}, key_.get(), true);
        save(folder_ / "ca.pem", [&](BIO* to) { PEM_write_bio_X509(to, certificate_.get()); });
    }
    authority(const authority&) = delete;
    authority& operator=(const authority&) = delete;
    ~authority() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    [[nodiscard]] std::string file() const { return folder_ / "ca.pem"; }
    [[nodiscard]] certificate_files issue(const certificate_wish& what) {
        const key_owner key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
        const auto made = write(what, key.get(), false);
        const auto number = std::to_string(++issued_);
        const certificate_files files{folder_ / (number + ".pem"), folder_ / (number + ".key")};
        save(files.certificate, [&](BIO* to) { PEM_write_bio_X509(to, made.get()); });
        save(files.key, [&](BIO* to) {
            PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
        return files;
    }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

private:
    struct free_key {
        void operator()(EVP_PKEY* gone) const { EVP_PKEY_free(gone); }
    };
    struct free_certificate {
        void operator()(X509* gone) const { X509_free(gone); }
    };
    using key_owner = std::unique_ptr<EVP_PKEY, free_key>;
    using certificate_owner = std::unique_ptr<X509, free_certificate>;

    template <class Write>
    static void save(const std::filesystem::path& where, Write what) {
        auto* to = BIO_new_file(where.c_str(), "w");
        REQUIRE(to != nullptr);
        what(to);
        BIO_free(to);
    }
    static void extend(X509* made, int which, const std::string& value) {
        if (value.empty()) return;
        auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, which, value.c_str());
        REQUIRE(extension != nullptr);
        X509_add_ext(made, extension, -1);
        X509_EXTENSION_free(extension);
    }
    certificate_owner write(const certificate_wish& what, EVP_PKEY* key, bool root) {
        certificate_owner made{X509_new()};
        X509_set_version(made.get(), X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial_);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), what.valid_from);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), what.valid_until);
        X509_set_pubkey(made.get(), key);
        auto* subject = X509_get_subject_name(made.get());
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(what.common_name.c_str()),
                                   -1, -1, 0);
        X509_set_issuer_name(made.get(),
                             root ? subject : X509_get_subject_name(certificate_.get()));
        extend(made.get(), NID_basic_constraints, root ? "critical,CA:TRUE" : "CA:FALSE");
        extend(made.get(), NID_subject_alt_name, what.names);
        extend(made.get(), NID_ext_key_usage, what.usage);
        REQUIRE(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0);
        return made;
    }

    std::filesystem::path folder_;
    key_owner key_;
    certificate_owner certificate_;
    long serial_ = 0;
    int issued_ = 0;
};

} // namespace trunkline::support
